import { expect, test } from 'vitest';
import { PassThrough } from 'node:stream';
import { statusLine } from '../../src/cli/status-line.js';

/** A stream, and what was written to it. */
function stream(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const through = new PassThrough();
  const chunks: string[] = [];
  through.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return {
    stream: Object.assign(through, { isTTY, columns: 20 }) as unknown as NodeJS.WriteStream,
    written: () => chunks.join(''),
  };
}

const WIPE = '\x1b[1G\x1b[2K';

test('a terminal has one line that changes, never longer than it is wide', () => {
  const terminal = stream(true);
  const status = statusLine(terminal.stream);
  status.clear();
  status.show('one');
  status.show('a line that is far too long');
  status.clear();
  status.clear();
  expect(terminal.written()).toBe(`one${WIPE}a line that is far ${WIPE}`);
});

test('a file has none', () => {
  const file = stream(false);
  const status = statusLine(file.stream);
  status.show('one');
  status.clear();
  expect(file.written()).toBe('');
});
