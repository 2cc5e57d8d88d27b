/**
 * Keeps the engines' logs of a sector that is deleted: one gzip text in `done/`. It is for people only, and nothing
 * waits for it: what cannot be read or written is left out, and told.
 */
import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ifPresent, isErrno, messageOf } from '../files.js';
import { lstat, readEnds, rename, syncDirectory, writeNewFile, type Ends } from '../mounts/remote-fs.js';
import { everyAttempt } from '../sector-directory/attempt.js';
import { freeAttempts, LOG } from '../sector-directory/gone.js';

/** Max bytes of a log's beginning, and of its end. An engine that runs wild may write gigabytes. */
const END_BYTES = 524_288;
/** Max bytes of all logs of a sector: of very many attempts each gets its part. They are in memory at once. */
const ALL_BYTES = 33_554_432;

export interface Keeping {
  /** The directories whose logs are kept; they are being deleted, and nobody works there any more. */
  directories: readonly string[];
  /** Where they are kept; replaced if it exists. */
  file: string;
  /** Adds them to what the file has already. */
  isAdded: boolean;
  /** Called before each read and write; an error from it ends it all. */
  between: () => void;
}

/**
 * Writes the text. Without logs, the file stays as it is.
 * @returns what is lacking, in one line; undefined when all logs are kept
 * @throws what `between` throws, and nothing else
 */
export async function keepLogs(keeping: Keeping): Promise<string | undefined> {
  const faults: string[] = [];
  try {
    const text = await collect(keeping, faults);
    if (text.length > 0) await write(keeping, text);
  } catch (error) {
    keeping.between();
    return `the engines' logs are not kept: ${wordsOf(error)}`;
  }
  const [first, ...more] = faults;
  if (first === undefined) return undefined;
  return `of the engines' logs is not kept: ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
}

interface Log {
  /** `1/P2-3/log` */
  name: string;
  path: string;
}

async function collect({ directories, between }: Keeping, faults: string[]): Promise<Buffer> {
  const logs: Log[] = [];
  for (const directory of directories)
    logs.push(...(await logsOf(directory, directories.length > 1 ? `${basename(directory)}/` : '')));
  const most = Math.min(END_BYTES, Math.floor(ALL_BYTES / 2 / Math.max(1, logs.length)));
  const texts: Buffer[] = [];
  let saysAnything = false;
  for (const { name, path } of logs) {
    between();
    const read = await ifPresent(readEnds(path, most).then((ends) => ends ?? NO_FILE)).catch(wordsOf);
    if (read === undefined) continue;
    if (typeof read === 'string') faults.push(`${path}: ${read}`);
    saysAnything ||= typeof read === 'string' || read.head.length > 0;
    texts.push(sectionOf(name, read, texts.length === 0));
  }
  return saysAnything ? Buffer.concat(texts) : Buffer.alloc(0);
}

const NO_FILE = 'it is not a plain file';

/** The logs in a sector's directory, in order. No link is followed, which would lead out of it. */
async function logsOf(directory: string, prefix: string): Promise<Log[]> {
  const logs: Log[] = [];
  const isDirectory = async (path: string): Promise<boolean> =>
    (await ifPresent(lstat(path)))?.isDirectory() ?? false;
  for (const attempt of await everyAttempt(directory)) {
    if (!(await isDirectory(dirname(attempt.directory))) || !(await isDirectory(attempt.directory))) continue;
    logs.push({ name: `${prefix}${attempt.name}/${LOG}`, path: join(attempt.directory, LOG) });
  }
  return logs;
}

/** @param read the log, or why it could not be read */
function sectionOf(name: string, read: Ends | string, isFirst: boolean): Buffer {
  const heading = `${isFirst ? '' : '\n'}==> ${name} <==\n`;
  if (typeof read === 'string') return Buffer.from(`${heading}[not kept: ${read}]\n`);
  const { head, tail, leftOut } = read;
  const gap = leftOut > 0 ? `\n[${leftOut} bytes left out]\n` : '';
  const last = [tail, head].find(({ length }) => length > 0)?.at(-1) ?? NEWLINE;
  return Buffer.concat(
    [heading, head, gap, tail, last === NEWLINE ? '' : '\n'].map((part) => Buffer.from(part)),
  );
}

const NEWLINE = 0x0a;

async function write({ directories, file, isAdded, between }: Keeping, text: Buffer): Promise<void> {
  const compressed = await promisify(gzip)(text);
  const before = isAdded ? (await ifPresent(readEnds(file, 2 * ALL_BYTES)))?.head : undefined;
  // A gzip file may have several members.
  const content = before ? Buffer.concat([before, compressed]) : compressed;
  // There it is deleted with all else, whatever happens.
  const temporary = join(directories[0] ?? dirname(file), `logs.gz.${randomUUID()}`);
  between();
  await writeNewFile(temporary, content).catch(async (error: unknown) => {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
    for (const directory of directories) await freeAttempts(directory);
    between();
    await writeNewFile(temporary, content);
  });
  await rename(temporary, file);
  await syncDirectory(dirname(file));
}

const wordsOf = (error: unknown): string => (error instanceof Error ? messageOf(error) : String(error));
