/** Formats findings for people: one line if ok or skipped, four if not. */
import type { Finding, Result } from './finding.js';

const NAME_WIDTH = 28;
const RESULT_WIDTH = 9;
const INDENT = ' '.repeat(RESULT_WIDTH);

export function renderFinding({ check, result, found, wanted, hint }: Finding): string {
  const shown = result === 'fail' ? 'FAIL' : result;
  const head = shown.padEnd(RESULT_WIDTH) + check;
  if (result === 'ok' || result === 'skipped') return `${head.padEnd(RESULT_WIDTH + NAME_WIDTH)}  ${found}`;
  const lines = Object.entries({ found, wanted, hint }).filter(([, text]) => text !== '');
  return [head, ...lines.map(([name, text]) => `${INDENT}  ${name.padEnd(8)}${indented(text)}`)].join('\n');
}

/** Aligns further lines below the first. */
const indented = (text: string): string => text.replaceAll('\n', `\n${INDENT}${' '.repeat(10)}`);

/** `18 ok, 2 warn, 1 fail, 3 skipped` */
export function summarize(findings: readonly Finding[]): string {
  const kinds: Result[] = ['ok', 'warn', 'fail', 'skipped'];
  return kinds
    .map((kind) => [kind, findings.filter(({ result }) => result === kind).length] as const)
    .filter(([kind, count]) => count > 0 || kind === 'ok')
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}
