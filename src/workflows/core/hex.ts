/** Workflows have no Buffer. */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes that a workflow has as base64, for Go, as people and scripts read them. */
export function hexOfBase64(text: string): string {
  const bits = Array.from(text.replace(/=+$/, ''))
    .map((char) => BASE64.indexOf(char).toString(2).padStart(6, '0'))
    .join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return bytes.map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0')).join('');
}
