/**
 * What takes minutes the first time: said before, and not within some test's time.
 * @param wanted `server`: the Temporal CLI; `engine`: the real engine, and the proof parameters for 2 KiB unless `parameters` is false
 */
export async function fillCaches({ server, engine, parameters = engine }) {
  const { plainDisplay } = await import('../dist/dev/display.js');
  const display = plainDisplay((line) => process.stdout.write(`${line}\n`));
  if (server) {
    const { findTemporalCli } = await import('../dist/temporal/embedded/temporal-cli.js');
    void display.step(
      'Temporal CLI',
      (say) => findTemporalCli({ onStep: say }),
      ({ source }) => source,
    );
  }
  if (engine) {
    const { buildEngine } = await import('../dist/engines/build/build.js');
    const { findEngine } = await import('../dist/engines/locate.js');
    const { ensureParameters } = await import('../dist/engines/parameters.js');
    const program = display.step(
      'engine',
      async (say) => (await findEngine()) ?? (await buildEngine({ onStep: say })),
    );
    if (parameters) {
      void display.step('proof parameters for 2KiB', async (say) =>
        ensureParameters(await program, '2KiB', { onStep: say }),
      );
    }
  }
  await display.start();
}
