/** `--ticket HEX@EPOCH`: what a command knows of its age, and when it refuses. */
import { describe, expect, test } from 'vitest';
import { lifeOf, lifeWhenDrawn } from '../../../src/chain/deadlines.js';
import { beginOf, NETWORKS, type Network } from '../../../src/chain/network.js';
import { nameWithNetwork, networkOfName } from '../../../src/chain/told-network.js';
import { lifeOfTicket, parseTicket, refuseStaleTicket } from '../../../src/cli/ticket-option.js';
import type { HostStatement } from '../../../src/host-statement.js';
import { host, serverWith } from '../../helpers/asked-server.js';

const MAINNET = NETWORKS['mainnet'] as Network;
const HOUR = 3_600_000;
const HEX = 'ab'.repeat(32);
/** So many hours after epoch 100 began. */
const at = (hours: number): number => beginOf(MAINNET, 100) + hours * HOUR;
const CHAIN = '2 sealflow/chain';

/** A server of which orchestrators watch these networks. */
const watched = (...networks: (Network | undefined)[]) => {
  const names = networks.map((network) => (network ? nameWithNetwork('o#1', network) : 'o#1'));
  return serverWith([CHAIN], {}, [], 0, { [CHAIN]: names }).whoServes;
};

describe('the life of a ticket', () => {
  test('is 3,780 epochs of the network that the orchestrators watch; drawn, a day is left of it', async () => {
    const life = await lifeOfTicket({ hex: HEX, epoch: 100 }, undefined, watched(MAINNET, undefined), at(2));
    expect(life).toEqual(lifeOf(MAINNET, 100));
    expect(Date.parse(life?.until ?? '')).toBe(at(31.5));
    expect(lifeWhenDrawn(lifeOf(MAINNET, 100))).toBe(24 * HOUR);
  });

  test('is that of --network where it is given', async () => {
    const calibration = NETWORKS['calibration'] as Network;
    const now = beginOf(calibration, 200);
    const given = lifeOfTicket({ hex: HEX, epoch: 100 }, 'calibration', watched(MAINNET), now);
    expect(await given).toEqual(lifeOf(calibration, 100));
  });

  test('is not known without an epoch, or without anybody who knows the chain’s clock', async () => {
    const own = { name: 'own', genesis: 1, epochMs: 25 };
    expect(await lifeOfTicket({ hex: HEX }, undefined, watched(MAINNET))).toBeUndefined();
    expect(await lifeOfTicket({ hex: HEX, epoch: 1 }, undefined, watched(undefined))).toBeUndefined();
    expect(await lifeOfTicket({ hex: HEX, epoch: 1 }, undefined, watched(MAINNET, own))).toBeUndefined();
  });

  test('cannot begin in the future: the epoch is wrong, or the network, or the clock', async () => {
    const future = lifeOfTicket({ hex: HEX, epoch: 100 }, undefined, watched(MAINNET), at(-0.1));
    await expect(future).rejects.toThrow('epoch 100 of the ticket is still to come: mainnet is at 88');
    expect(
      await lifeOfTicket({ hex: HEX, epoch: 100 }, undefined, watched(MAINNET), at(-0.05)),
    ).toBeDefined();
  });

  test.each(['', 'host#1', 'host#1 {', 'host#1 {"network":{"name":"x","genesis":0,"epochMs":0}}'])(
    'is not told by the name %s',
    (name) => {
      expect(networkOfName(name)).toBeUndefined();
    },
  );

  test('is read from HEX@EPOCH', () => {
    expect(parseTicket(`${HEX}@7`)).toEqual({ hex: HEX, epoch: 7 });
    expect(parseTicket(HEX)).toEqual({ hex: HEX });
    expect(() => parseTicket(`${HEX}@x`)).toThrow();
  });
});

describe('start', () => {
  const needs = (P1: number, P2: number) => ({
    needs: { P1: { ms: P1 * HOUR, of: 12 }, P2: { ms: P2 * HOUR, of: 9 } },
    configured: ['P1', 'P2'] as const,
  });
  const refusal = (now: number, ...hosts: HostStatement[]) => {
    const { whoServes } = serverWith(
      [],
      {},
      hosts.map((one) => [one, 10]),
    );
    return refuseStaleTicket(lifeOf(MAINNET, 100), { group: 1, size: '2KiB' }, whoServes, now);
  };

  test('refuses a ticket that no host of the group can make, with the sum', async () => {
    const slow = host('10.0.0.2', needs(20, 1));
    await expect(refusal(at(27), slow, host('10.0.0.1', needs(5.6, 0.5)))).rejects.toThrow(
      'its ticket is 27 h old and ends in 4.5 h; P1 and P2 take 6.1 h in group 1 (P1 5.6 h as 12 before, P2 30 min as 9 before)',
    );
  });

  test('leaves one to them that the fastest can make', async () => {
    await refusal(at(25), host('10.0.0.2', needs(20, 1)), host('10.0.0.1', needs(5.6, 0.5)));
    await expect(refusal(at(25), host('10.0.0.2', needs(20, 1)))).rejects.toThrow('take 21 h');
  });

  test('goes by the table where no host tells', async () => {
    await refusal(at(31.4), host('10.0.0.1', { configured: ['P1'] }));
    await expect(refusal(at(31.5), host('10.0.0.1'))).rejects.toThrow('P1 and P2 take 1 s in group 1');
  });
});
