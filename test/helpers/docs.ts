/** What README.md and docs/ hold between fences: blocks, and the commands in those of `sh`. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Block {
  /** `docs/operations.md:48` */
  at: string;
  /** Info string of its fence: `sh` are commands, `text` is what programs print, or a drawing. */
  kind: string;
  text: string;
}

/** One program with its arguments, as the shell would start it. */
interface DocumentedCommand {
  at: string;
  argv: string[];
}

/** README.md, and all Markdown below docs/. */
function pages(): string[] {
  const docs = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' });
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].map(
    (name) => ROOT + name,
  );
}

/** All blocks, in the order in which a reader meets them. */
export const docsBlocks = (): Block[] => pages().flatMap(blocksOf);

/** @throws Error when a fence is not closed */
function blocksOf(path: string): Block[] {
  const blocks: Block[] = [];
  let open: (Block & { indent: string }) | undefined;
  for (const [i, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const [, indent = '', kind] = /^( *)```(.*)$/.exec(line) ?? [];
    if (open && kind === undefined) open.text += `${line.replace(open.indent, '')}\n`;
    else if (open) {
      blocks.push({ at: open.at, kind: open.kind, text: open.text });
      open = undefined;
    } else if (kind !== undefined) {
      open = { at: `${relative(ROOT, path)}:${i + 1}`, kind: kind.trim(), text: '', indent };
    }
  }
  if (open) throw new Error(`${open.at}: the block is not closed`);
  return blocks;
}

/** `sealflow …` in running text and tables, between backticks. */
export const inlineCommands = (): DocumentedCommand[] =>
  pages().flatMap((path) =>
    readFileSync(path, 'utf8')
      .replaceAll(/^ *```[^]*?^ *```$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
      .split('\n')
      .flatMap((line, i) =>
        [...line.matchAll(/`(sealflow [^`]+)`/g)].map(([, text = '']) => ({
          at: `${relative(ROOT, path)}:${i + 1}`,
          argv: text.split(/\s+/),
        })),
      ),
  );

/**
 * Bash itself takes a block apart, and runs nothing: without PATH no program is found, and what was asked for is printed. In a
 * restricted shell no path can be called and nothing be redirected into a file.
 */
const RECORD = `
PATH=/nonexistent
command_not_found_handle() { printf '%s\\0' "$@" $'\\n'; }
cd() { command_not_found_handle cd "$@"; }
readonly PATH
`;

/** The programs that a block of `sh` runs, with `sudo` and containers taken away. @throws Error when bash does not understand it */
async function commandsOf({ at, text }: Block): Promise<DocumentedCommand[]> {
  // Without what a user has in .bashrc, which bash also reads where it takes its stdin for a network's.
  const shell = await promisify(execFile)('/bin/bash', ['--norc', '-c', `${RECORD}set -r -u\n${text}`]);
  if (shell.stderr) throw new Error(`${at}: ${shell.stderr}`);
  return shell.stdout
    .split('\0\n\0')
    .filter(Boolean)
    .map((command) => ({ at, argv: command.split('\0') }));
}

/** What is run in the end: as another user, or in a container whose program is sealflow. Anything else is left as it is. */
export function innermost(argv: readonly string[]): string[] {
  const [program, ...rest] = argv;
  const text = argv.join(' ');
  if (program === 'sudo' && text.startsWith('sudo -u sealflow -H ')) return rest.slice(3);
  const compose = /^docker compose -f \S+ (?:exec \S+ sealflow|run (?:--\S+ )*p1) (?=.)/.exec(text)?.[0];
  return compose === undefined ? [...argv] : ['sealflow', ...argv.slice(compose.trim().split(' ').length)];
}

/** Commands of all `sh` blocks, each once, with where it stands first. */
export async function documentedCommands(): Promise<DocumentedCommand[]> {
  const blocks = docsBlocks().filter(({ kind }) => kind === 'sh');
  const all = (await Promise.all(blocks.map(commandsOf))).flat();
  const seen = new Set<string>();
  return all.filter(({ argv }) => {
    const key = argv.join('\0');
    return !seen.has(key) && seen.add(key);
  });
}
