/**
 * A progress line at the bottom of a terminal; permanent lines are printed above it. (listr2, which `dev` uses,
 * buffers permanent lines until it ends, and redraws one line per task, of which there may be thousands.)
 */
import { clearLine, cursorTo } from 'node:readline';

export interface StatusLine {
  show(text: string): void;
  /** Must be called before anything else is printed. */
  clear(): void;
}

/** @param stream nothing is shown if it is not a terminal */
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
    // A wrapped line could not be cleared. Some terminals do not report their width.
    stream.write(text.slice(0, (stream.columns || 80) - 1));
    shown = true;
  };
  return { show, clear };
}
