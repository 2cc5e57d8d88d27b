/**
 * Current details on their way to the Web UI. A workflow does not know why a task waits, and what it would be told would be out of
 * date soon: so it only marks its details, and the orchestrator adds the rest when somebody asks for them
 * (`src/workers/current-details.ts`).
 */

/** A link's definition: Markdown shows nothing of it. */
const MARK = /\n\n\[run\]: (\S+)$/;

/** Of which run they are: an ID of a workflow stands for its last run, whichever one is looked at. */
export const marked = (details: string, runId: string): string => `${details}\n\n[run]: ${runId}`;

/** The run whose details these are; undefined if they are not marked. */
export const runOf = (details: string): string | undefined => MARK.exec(details)?.[1];

/** Without the mark, and with these sentences below the first line, as quotations. */
export function completed(details: string, sentences: readonly string[]): string {
  const lines = details.replace(MARK, '').split('\n');
  const quotes = sentences.flatMap((sentence) => ['', `> ${oneLine(sentence)}`]);
  return lines.toSpliced(1, 0, ...quotes).join('\n');
}

/** Text from programs on one line, without characters that would end a Markdown table cell. */
export const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '/');
