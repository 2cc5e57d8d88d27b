/** What work leaves on the heap. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, without garbage. */
export function heapBytes(): number {
  // Twice: what only a finalizer held is freed by the second.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
