/** Errors of the file system in the shape that Node gives them. */
const UNNAMED: Record<string, number> = { ESTALE: 116, EDQUOT: 122 };

/** libuv has no name for some: Node reports these by number only. */
export function errnoError(name: string, call = 'open'): NodeJS.ErrnoException {
  const number = UNNAMED[name];
  const code = number === undefined ? name : `Unknown system error -${number}`;
  const words = number === undefined ? 'x' : code;
  const error = new Error(`${code}: ${words}, ${call}`);
  return Object.assign(error, { code, syscall: call, ...(number !== undefined && { errno: -number }) });
}
