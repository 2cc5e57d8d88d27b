import { expect, test } from 'vitest';
import { pieceCid, sectorCid } from '../../../src/chain/cids.js';
import { hexOfBase64 } from '../../../src/workflows/core/hex.js';

test('commD is the CID that the chain knows', () => {
  // The piece of zeros that fills a 2KiB sector (go-fil-markets, zerocomm).
  const commD = Buffer.from('fc7e928296e516faade986b28f92d44a4f24b935485223376a799027bc18f833', 'hex');
  expect(pieceCid(commD)).toBe('baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy');
});

test('commR is a CID of its own kind', () => {
  expect(sectorCid(Buffer.alloc(32))).toMatch(/^bagboea4b5abc[a-z2-7]+$/);
});

test.each([0, 1, 2, 3, 31, 32, 192])('%i bytes are hex without Buffer as with it', (length) => {
  const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + 250) % 256));
  expect(hexOfBase64(bytes.toString('base64'))).toBe(bytes.toString('hex'));
});
