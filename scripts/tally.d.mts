type Line = Readonly<Record<string, number | string | undefined>>;
interface Sums {
  parts: object[];
  all: Readonly<Record<string, number>>;
}
export function sums(
  files: readonly { path: string; ran: boolean; ms: number }[],
  lines: readonly Line[],
): Sums;
export function table(sums: Sums, minutes: number): string;
