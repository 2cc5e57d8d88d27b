/** What a worker exports to Prometheus. */

/** Its own gauges by name, with the value of the label `pool` or `phase` if there is one: `sealflow_slots P1`. */
export async function gaugesAt(listen: string): Promise<Map<string, number>> {
  const text = await (await fetch(`http://${listen}/metrics`, { headers: { connection: 'close' } })).text();
  const lines = text.split('\n').filter((line) => line.startsWith('sealflow_'));
  return new Map(
    lines.map((line) => {
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return [`${name} ${/(?:pool|phase)="([^"]*)"/.exec(labels)?.[1] ?? ''}`.trim(), Number(value)];
    }),
  );
}
