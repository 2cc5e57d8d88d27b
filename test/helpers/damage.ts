import { readFile, writeFile } from 'node:fs/promises';

/** Turns one bit of a file around, in place: links to it see it too. */
export async function flip(path: string, at = 10): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
}
