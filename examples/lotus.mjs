#!/usr/bin/env node
/**
 * What sealflow leaves to you: asking a lotus node, and sending. A starting point for your own; docs/integration.md goes through it.
 *
 *   node lotus.mjs ticket t01000           a ticket for `sealflow start --ticket`: HEX@EPOCH
 *   node lotus.mjs send FILE FROM          sends the messages of FILE (`sealflow message … --json`) and waits until they are on chain
 *   node lotus.mjs seeds FILE              waits for the seeds of the pre-commits of FILE: lines for `sealflow seed @FILE`
 *   node lotus.mjs proven FILE             those sectors of FILE that are on chain, for `sealflow landed @FILE`; exit 1 if some are not
 *
 * LOTUS_RPC is the node's JSON-RPC, version 1 (http://127.0.0.1:1234/rpc/v1); reading needs no token. `lotus` must be on PATH, and
 * know the key of FROM: the miner's worker, owner or a control address.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const RPC = process.env.LOTUS_RPC ?? 'http://127.0.0.1:1234/rpc/v1';
/** Epochs: lotus's own (chain/actors/policy, storage/pipeline). What is younger may still be replaced by another fork. */
const TICKET_LOOKBACK = 900;
const SEED_DELAY = 150;
const SEED_CONFIDENCE = 6;
/** Domain separation (go-state-types crypto/randomness.go). */
const SEAL_RANDOMNESS = 5;
const INTERACTIVE_SEAL_CHALLENGE_SEED = 6;
const EPOCH_MS = Number(process.env.EPOCH_MS ?? 30_000);

async function rpc(method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `Filecoin.${method}`, params });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(RPC, { method: 'POST', headers, body }).catch((failure) => {
    throw new Error(`${RPC} does not answer: ${failure.cause?.message ?? failure.message} (LOTUS_RPC)`);
  });
  const { result, error } = await response.json().catch(() => {
    throw new Error(`${RPC} is no Lotus API: HTTP ${response.status} (LOTUS_RPC)`);
  });
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

const height = async () => (await rpc('ChainHead')).Height;

/** The entropy of a miner's randomness: CBOR of its address, a 0 and the ID as a varint. */
function entropyOf(miner) {
  const bytes = [0];
  let id = BigInt(miner.slice(2));
  for (; id > 127n; id >>= 7n) bytes.push(Number(id & 127n) | 128);
  bytes.push(Number(id));
  return Buffer.from([0x40 + bytes.length, ...bytes]).toString('base64');
}

const hexOf = (base64) => Buffer.from(base64, 'base64').toString('hex');

async function ticket(miner) {
  const epoch = (await height()) - TICKET_LOOKBACK;
  const drawn = await rpc('StateGetRandomnessFromTickets', SEAL_RANDOMNESS, epoch, entropyOf(miner), null);
  console.log(`${hexOf(drawn)}@${epoch}`);
}

const messagesOf = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
/** `[miner, number, sector]` of each sector of these messages. */
const sectorsOf = (messages) =>
  messages.flatMap(({ to, sectors }) => sectors.map((sector) => [to, Number(sector.split('/')[1]), sector]));

const preCommitInfo = (miner, number) => rpc('StateSectorPreCommitInfo', miner, number, null);
const max = (a, b) => (a > b ? a : b);

/** What must be there for a message, in attoFIL. The node adds a tenth to each amount, as both change until it is on chain. */
async function collateral({ message, to, sectors, value }) {
  if (message === 'precommit') {
    const [{ params }] = value.ask;
    return BigInt(sectors.length) * BigInt(await rpc('StateMinerPreCommitDepositForPower', ...params));
  }
  const [, size] = value.ask.find(({ method }) => method.endsWith('StateMinerInitialPledgeForSector')).params;
  const head = await height();
  let sum = 0n;
  for (const [, number, sector] of sectorsOf([{ to, sectors }])) {
    const found = await preCommitInfo(to, number);
    if (!found) throw new Error(`${sector} is not pre-committed, or was proven already`);
    const duration = found.Info.Expiration - head;
    const pledge = await rpc('StateMinerInitialPledgeForSector', duration, size, 0, null);
    sum += max(0n, BigInt(pledge) - BigInt(found.PreCommitDeposit));
  }
  return sum;
}

/** A number that was used once is used up: the chain would refuse the whole message. */
async function refuseAllocated({ message, to, sectors }) {
  if (message !== 'precommit') return;
  for (const [, number, sector] of sectorsOf([{ to, sectors }]))
    if (await rpc('StateMinerSectorAllocated', to, number, null))
      throw new Error(`${sector}: the number is allocated already; leave the sector out of the message`);
}

const lotus = (...args) =>
  execFileSync('lotus', args, { encoding: 'utf8', stdio: ['inherit', 'pipe', 'inherit'] });

async function send(file, from) {
  const messages = messagesOf(file);
  for (const message of messages) await refuseAllocated(message);
  for (const message of messages) {
    const { to, method, params } = message;
    const available = BigInt(await rpc('StateMinerAvailableBalance', to, null));
    const value = `${max(0n, (await collateral(message)) - available)}afil`;
    const options = ['--from', from, '--method', String(method), '--params-hex', params.hex];
    // lotus tries the message before it sends it; the last line is its CID.
    const cid = lotus('send', ...options, to, value)
      .trim()
      .split('\n')
      .at(-1);
    console.log(`${cid}: ${message.methodName} of ${message.sectors.length} sectors, with ${value}`);
    const landed = lotus('state', 'wait-msg', '--timeout', '1h', cid);
    if (!/^Exit Code: 0$/m.test(landed)) throw new Error(`${cid} failed:\n${landed}`);
  }
}

async function seeds(file) {
  for (const [miner, number, sector] of sectorsOf(messagesOf(file))) {
    const found = await preCommitInfo(miner, number);
    if (!found) throw new Error(`${sector} is not pre-committed`);
    const epoch = found.PreCommitEpoch + SEED_DELAY;
    while ((await height()) < epoch + SEED_CONFIDENCE) await sleep(EPOCH_MS);
    const tag = INTERACTIVE_SEAL_CHALLENGE_SEED;
    const seed = await rpc('StateGetRandomnessFromBeacon', tag, epoch, entropyOf(miner), null);
    console.log(`${sector} ${hexOf(seed)}`);
  }
}

/** A message that landed may have left out a sector whose proof the chain refused. */
async function proven(file) {
  for (const [miner, number, sector] of sectorsOf(messagesOf(file))) {
    if (await rpc('StateSectorGetInfo', miner, number, null)) console.log(sector);
    else {
      console.error(`${sector} is not on chain`);
      process.exitCode = 1;
    }
  }
}

const [command, ...args] = process.argv.slice(2);
const commands = { ticket, send, seeds, proven };
const usage = ['ticket t01000', 'send FILE FROM', 'seeds FILE', 'proven FILE'];
try {
  const own = usage.find((line) => line.split(' ')[0] === command)?.split(' ');
  if (args.length + 1 !== own?.length) throw new Error(`one of: ${usage.join(', ')}`);
  await commands[command](...args);
} catch (error) {
  console.error(`lotus.mjs: ${error.message}`);
  process.exitCode = 1;
}
