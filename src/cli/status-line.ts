/**
 * One line at the bottom of a terminal that says how far something is, while lines that stay are printed above it. (listr2, which
 * `dev` uses, holds those back until its end, and redraws a line for each of thousands of tasks.)
 */
import { clearLine, cursorTo } from 'node:readline';

export interface StatusLine {
  show(text: string): void;
  /** To be called before anything else is printed. */
  clear(): void;
}

/** @param stream where it is no terminal nothing is shown */
export function statusLine(stream: NodeJS.WriteStream): StatusLine {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined };
  let shown = false;
  const clear = (): void => {
    if (!shown) return;
    cursorTo(stream, 0);
    clearLine(stream, 0);
    shown = false;
  };
  const show = (text: string): void => {
    clear();
    // One that is wrapped could not be taken back. Some terminals do not tell how wide they are.
    stream.write(text.slice(0, (stream.columns || 80) - 1));
    shown = true;
  };
  return { show, clear };
}
