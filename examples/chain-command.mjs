#!/usr/bin/env node
/**
 * A program for `[chain] command` in orchestrator.toml: sealflow gives it one question as JSON on stdin, it prints one answer as JSON.
 * docs/reference.md lists both. This one asks a lotus node, as `lotus_api` does without it: a starting point for your own, where the
 * chain is behind something else.
 *
 *   echo '{"v":1,"ask":"head"}' | node chain-command.mjs
 *
 * LOTUS_RPC is the node's JSON-RPC, version 1 (http://127.0.0.1:1234/rpc/v1), LOTUS_TOKEN a token where it wants one. What goes wrong
 * is told on stderr, whose last line sealflow shows, with another exit code than 0.
 */
import { text } from 'node:stream/consumers';

const RPC = process.env.LOTUS_RPC ?? 'http://127.0.0.1:1234/rpc/v1';
const TOKEN = process.env.LOTUS_TOKEN;
/** Domain separation (go-state-types crypto/randomness.go). */
const SEAL_RANDOMNESS = 5;
const INTERACTIVE_SEAL_CHALLENGE_SEED = 6;

async function rpc(method, ...params) {
  const headers = { 'content-type': 'application/json', ...(TOKEN && { authorization: `Bearer ${TOKEN}` }) };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `Filecoin.${method}`, params });
  const response = await fetch(RPC, { method: 'POST', headers, body }).catch((failure) => {
    throw new Error(`${RPC} does not answer: ${failure.cause?.message ?? failure.message}`);
  });
  if (!response.ok) throw new Error(`${method}: HTTP ${response.status}`);
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** The entropy of a miner's randomness: CBOR of its address, a 0 and the ID as a varint. */
function entropyOf(miner) {
  const bytes = [0];
  let id = BigInt(miner.slice(2));
  for (; id > 127n; id >>= 7n) bytes.push(Number(id & 127n) | 128);
  bytes.push(Number(id));
  return Buffer.from([0x40 + bytes.length, ...bytes]).toString('base64');
}

const hexOf = (base64) => Buffer.from(base64, 'base64').toString('hex');
/** On mainnet a node knows `f01000`. */
const addressOf = (miner) => miner.replace(/^t/, 'f');
/** Older nodes refuse where newer ones answer null. */
const orNull = (error) => {
  if (/not exist|not found/i.test(error.message)) return null;
  throw error;
};

const answers = {
  /** The newest epoch that the node knows. */
  head: async () => ({ epoch: (await rpc('ChainHead')).Height }),

  ticket: async ({ miner, epoch }) => ({
    ticket: hexOf(await rpc('StateGetRandomnessFromTickets', SEAL_RANDOMNESS, epoch, entropyOf(miner), null)),
  }),

  seed: async ({ miner, epoch }) => ({
    seed: hexOf(
      await rpc(
        'StateGetRandomnessFromBeacon',
        INTERACTIVE_SEAL_CHALLENGE_SEED,
        epoch,
        entropyOf(miner),
        null,
      ),
    ),
  }),

  /** What of a sector is on chain now, if anything. */
  landed: async ({ sector }) => {
    const [miner, number] = sector.split('/');
    const of = [addressOf(miner), Number(number), null];
    const preCommit = await rpc('StateSectorPreCommitInfo', ...of).catch(orNull);
    const proved = await rpc('StateSectorGetInfo', ...of).catch(orNull);
    return {
      preCommit: preCommit && {
        epoch: preCommit.PreCommitEpoch,
        sealedCid: preCommit.Info.SealedCID['/'],
      },
      proved: proved && proved.SealedCID['/'],
    };
  },

  /** Numbers that are used up, as lengths of runs: of free ones first, then of used ones and free ones by turns. */
  numbers: async ({ miner }) => ({ allocated: await rpc('StateMinerAllocated', addressOf(miner), null) }),
};

try {
  const question = JSON.parse(await text(process.stdin));
  if (!Object.hasOwn(answers, question.ask)) throw new Error(`what is ${question.ask}?`);
  console.log(JSON.stringify(await answers[question.ask](question)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
