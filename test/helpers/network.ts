/** Hosts on a network of their own: a namespace each, linked by a bridge to this machine, and cut off at will. */
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { undoAfterRun } from '../../scripts/test-run.mjs';
import { run } from './commands.js';
import { forward } from './forward.js';

/**
 * `cable`: the link is down. `firewall`: packets are dropped silently, in both directions. Neither side gets an error:
 * the other one's silence is all there is.
 */
export type Cut = 'cable' | 'firewall';

export interface NetworkHost {
  /** Its address on the network. */
  ip: string;
  /** What runs a program on it: `[...through, program, ...args]`. */
  through: readonly string[];
  cut(how: Cut): Promise<void>;
  heal(): Promise<void>;
}

/** Makes a network that ends with the test. Names have a random part: other tests may do the same at the same time. */
export async function makeNetwork(): Promise<Network> {
  const network = new Network(`sf${randomBytes(3).toString('hex')}`, await freeSubnet());
  onTestFinished(() => network.end());
  await network.make();
  return network;
}

export class Network {
  private readonly namespaces: string[] = [];
  private readonly links: string[] = [];
  /** Of this machine on the network. */
  private readonly ip: string;

  /** @param name of the bridge, at most 8 characters. @param subnet like `10.211.7` */
  constructor(
    private readonly name: string,
    private readonly subnet: string,
  ) {
    this.ip = `${subnet}.1`;
  }

  async make(): Promise<void> {
    undoAfterRun('ip', 'link', 'delete', this.name);
    await run('ip', 'link', 'add', this.name, 'type', 'bridge');
    await run('ip', 'address', 'add', `${this.ip}/24`, 'dev', this.name);
    await run('ip', 'link', 'set', this.name, 'up');
  }

  /** One more host. */
  async host(): Promise<NetworkHost> {
    const number = this.namespaces.length + 2;
    const namespace = `${this.name}-${number}`;
    const [here, there] = [`${this.name}h${number}`, `${this.name}n${number}`];
    const ip = `${this.subnet}.${number}`;
    // The links to it go with it.
    undoAfterRun('ip', 'netns', 'delete', namespace);
    await run('ip', 'netns', 'add', namespace);
    this.namespaces.push(namespace);
    await run('ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', there);
    this.links.push(here);
    await run('ip', 'link', 'set', there, 'netns', namespace);
    await run('ip', 'link', 'set', here, 'master', this.name, 'up');
    await run('ip', '-n', namespace, 'address', 'add', `${ip}/24`, 'dev', there);
    await run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    await run('ip', '-n', namespace, 'link', 'set', there, 'up');
    // Not `ip netns exec`: that makes a mount namespace too, in which later mounts of the test are not seen.
    const through = ['nsenter', `--net=/run/netns/${namespace}`];
    const dropAll = async (how: '-I' | '-D'): Promise<void> => {
      for (const chain of ['INPUT', 'OUTPUT'])
        await run(...asCommand(through), 'iptables', how, chain, '-j', 'DROP');
    };
    let cut: Cut | undefined;
    return {
      ip,
      through,
      cut: async (how) => {
        cut = how;
        if (how === 'firewall') await dropAll('-I');
        else await run('ip', 'link', 'set', here, 'down');
      },
      heal: async () => {
        if (cut === 'firewall') await dropAll('-D');
        else await run('ip', 'link', 'set', here, 'up');
      },
    };
  }

  /** Lets the hosts reach a server that listens on this machine's loopback only. @returns its address for them */
  async offer(address: string): Promise<string> {
    const server = await forward(this.ip, address);
    onTestFinished(() => server.end());
    return server.address;
  }

  /** Takes everything away; the other ends of links, and packet filters, go with it. */
  async end(): Promise<void> {
    for (const link of this.links) await run('ip', 'link', 'delete', link);
    for (const namespace of this.namespaces) await run('ip', 'netns', 'delete', namespace);
    await run('ip', 'link', 'delete', this.name);
  }
}

const asCommand = ([program = '', ...args]: readonly string[]): [string, ...string[]] => [program, ...args];

/** Three bytes of a private network that nothing here has a route to. */
async function freeSubnet(): Promise<string> {
  const routes = await run('ip', '-4', 'route', 'show', 'table', 'all');
  for (;;) {
    const subnet = `10.${randomBytes(2).join('.')}`;
    if (!routes.includes(`${subnet}.`)) return subnet;
  }
}
