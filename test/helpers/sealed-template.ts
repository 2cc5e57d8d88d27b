/**
 * What phases of the usual sector leave on a host's disks: made once in a run of the tests, and copied to each test that begins with it.
 * To run their engines anew each time was a third of the unit tests' work.
 */
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ifPresent, isErrno } from '../../src/files.js';
import { run } from './commands.js';

/** Of a host's directory: its disks, and what its engines have noted. */
const DISKS = ['local', 'nodes', 'checkpoints'];
const NOTES = 'notes.json';
/** It alone says where the host's directory is. */
const JOB_OF_P5 = 'local/nfs/*/cache/*/1/P5-1/job.json';

/** @param key names all that it was made by */
const templateOf = (key: string): string => join(tmpdir(), `sealflow-template-${key}`);

/** Copies a template to a host's directory. @returns the notes kept with it; undefined if there is none yet */
export async function takeTemplate(key: string, root: string): Promise<unknown> {
  const template = templateOf(key);
  const notes = await ifPresent(readFile(join(template, NOTES), 'utf8'));
  if (notes === undefined) return undefined;
  // With the links between files: sealflow compares directories and files by inode.
  await run('cp', '-a', ...DISKS.map((name) => join(template, name)), root);
  const { madeIn, said } = JSON.parse(notes) as { madeIn: string; said: unknown };
  await run(
    'sh',
    '-c',
    `for f in "$1"/${JOB_OF_P5}; do [ ! -e "$f" ] || sed -i "s#$2#$1#g" "$f"; done`,
    'sh',
    root,
    madeIn,
  );
  return said;
}

/** Keeps what a host's directory holds as a template. Another process may have done so meanwhile. */
export async function keepTemplate(key: string, root: string, said: unknown): Promise<void> {
  const made = await mkdtemp(`${templateOf(key)}.`);
  await run('cp', '-a', ...DISKS.map((name) => join(root, name)), made);
  await writeFile(join(made, NOTES), JSON.stringify({ madeIn: root, said }));
  await rename(made, templateOf(key)).catch(async (error: unknown) => {
    await rm(made, { recursive: true });
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}
