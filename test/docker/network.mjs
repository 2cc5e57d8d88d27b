/** dockerd changes the host's packet filter and forwarding, and leaves them so when it ends. */
import { readFile, writeFile } from 'node:fs/promises';
import { createShell } from './shell.mjs';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const TABLES = ['filter', 'nat'];

const sh = createShell({});
const iptables = (table, ...args) => sh('iptables', '-w', '-t', table, ...args);
const rulesOf = async (table) => (await iptables(table, '-S')).split('\n');
const forwardPolicy = async () => /^-P FORWARD (\w+)$/m.exec(await iptables('filter', '-S', 'FORWARD'))?.[1];

/** @returns how to put back what a daemon has changed since: the policy alone, which concerns all others, or everything */
export async function rememberNetwork() {
  const forwarding = await readFile(FORWARDING, 'utf8');
  const wanted = await forwardPolicy();
  const before = Object.fromEntries(
    await Promise.all(TABLES.map(async (table) => [table, await rulesOf(table)])),
  );
  const bridge = await hasBridge();
  const policy = async () => {
    if (wanted && (await forwardPolicy()) !== wanted) await iptables('filter', '-P', 'FORWARD', wanted);
  };
  const all = async () => {
    await policy();
    for (const table of TABLES) await removeDockers(table, before[table]);
    if (!bridge && (await hasBridge())) await sh('ip', 'link', 'delete', 'docker0');
    await writeFile(FORWARDING, forwarding);
  };
  return { policy, all };
}

const hasBridge = () =>
  sh('ip', 'link', 'show', 'docker0').then(
    () => true,
    () => false,
  );

/** Only what is Docker's and new: others may have added rules meanwhile. */
async function removeDockers(table, before) {
  const added = (await rulesOf(table)).filter((rule) => !before.includes(rule) && /docker/i.test(rule));
  for (const rule of added.filter((line) => line.startsWith('-A '))) {
    await iptables(table, '-D', ...rule.slice(3).split(' '));
  }
  for (const rule of added.filter((line) => line.startsWith('-N ')))
    await iptables(table, '-X', rule.slice(3));
}
