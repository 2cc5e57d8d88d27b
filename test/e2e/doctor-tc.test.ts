/** The commands from `doctor --print-tc`, run on a networked host: which traffic is limited, and which is not. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { printTc } from '../../src/doctor/print/tc.js';
import { spawnBound } from '../../src/machine/bound-process.js';
import { lacks } from '../helpers/abilities.js';
import { run } from '../helpers/commands.js';
import { makeNetwork, type NetworkHost } from '../helpers/network.js';

const MB = 1_000_000;
const [NFS, OTHER] = [2049, 3000];
/** Sends a megabyte to each client. */
const SERVER = `
  const { createServer } = require('node:net');
  for (const port of [${NFS}, ${OTHER}])
    createServer((socket) => socket.end(Buffer.alloc(${MB}))).listen(port, () => console.log(port));
`;

const on = ({ through: [program = '', ...args] }: NetworkHost, ...command: string[]): Promise<string> =>
  run(program, ...args, ...command);

/** Bytes that went through the limited class. */
async function limited(host: NetworkHost, device: string): Promise<number> {
  const shown = await on(host, 'tc', '-s', 'class', 'show', 'dev', device);
  return Number(/class htb 1:10 [^]*?Sent ([0-9]+) bytes/.exec(shown)?.[1]);
}

async function readAll(host: string, port: number): Promise<number> {
  let bytes = 0;
  const socket = connect({ host, port }).on('data', (data) => (bytes += data.length));
  await once(socket, 'end');
  return bytes;
}

describe.skipIf(await lacks('network', 'traffic'))('the traffic limit', () => {
  test('applies to traffic from the NFS port to the clients, and can be set again', async () => {
    const host = await (await makeNetwork()).host();
    const device = /^[0-9]+: (sf[^@:]+)/m.exec(await on(host, 'ip', 'link'))?.[1] ?? '';
    const clients = `${host.ip.replace(/[0-9]+$/, '0')}/24`;
    for (const mbPerSec of [10, 100])
      await on(host, 'sh', '-ec', printTc({ interface: device, clients, mbPerSec }));
    expect(await on(host, 'tc', 'class', 'show', 'dev', device)).toContain('rate 800Mbit ');

    const [program = '', ...args] = host.through;
    const server = spawnBound(program, [...args, process.execPath, '-e', SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      for await (const text of server.stdout ?? []) {
        said += String(text);
        if (said.includes(String(NFS)) && said.includes(String(OTHER))) break;
      }
      expect(await readAll(host.ip, OTHER)).toBe(MB);
      expect(await limited(host, device)).toBe(0);
      expect(await readAll(host.ip, NFS)).toBe(MB);
      expect(await limited(host, device)).toBeGreaterThan(MB);
    } finally {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
  });
});
