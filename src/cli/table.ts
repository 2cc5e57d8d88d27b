/** Formats rows as aligned columns; omits empty columns. */
export function table(rows: readonly Record<string, string>[]): string {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => row[name]));
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => row[name]?.length ?? 0)));
  const line = (cells: (string | undefined)[]): string =>
    cells
      .map((cell, i) => (cell ?? '').padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(columns.map((name) => name.toUpperCase())),
    ...rows.map((row) => line(columns.map((name) => row[name]))),
  ].join('\n');
}
