/** The worker by which an orchestrator answers what sectors ask the chain. */
import { Worker, type NativeConnection } from '@temporalio/worker';
import { createChainActivities } from '../activities/ask-chain.js';
import type { ChainConfig } from '../chain/config.js';
import type { Chain } from '../chain/chain.js';
import { CommandChain } from '../chain/command.js';
import { LotusChain } from '../chain/lotus.js';
import { nameWithNetwork } from '../chain/told-network.js';
import { CHAIN_QUEUE } from '../contract.js';
import { OWN_VERSION } from './own-version.js';

export interface ChainWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  host: string;
  chain: ChainConfig;
  /** The orchestrator stops. */
  signal: AbortSignal;
}

/** Each sector that waits for its seed, or for its proof to land, is one task: more than any namespace has open at once. */
const MOST_WAITING = 20_000;

/** To be run until it is shut down. */
export function createChainWorker({
  connection,
  namespace,
  identity,
  chain,
  host,
  signal,
}: ChainWorkerOptions): Promise<Worker> {
  const { network, confidence } = chain;
  return Worker.create({
    connection,
    namespace,
    identity: nameWithNetwork(identity, network),
    workerDeploymentOptions: OWN_VERSION,
    taskQueue: CHAIN_QUEUE,
    activities: createChainActivities({
      watch: { chain: chainOf(chain, signal), network, confidence },
      host,
      lookMs: network.epochMs / 2,
    }),
    maxConcurrentActivityTaskExecutions: MOST_WAITING,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
    // Waits end at once.
    shutdownForceTime: '10s',
  });
}

function chainOf(config: ChainConfig, signal: AbortSignal): Chain {
  const { network, lotusApi: url, tokenFile, command, timeoutMs } = config;
  if (url !== undefined) return new LotusChain(network, { url, tokenFile, timeoutMs });
  return new CommandChain(network, { command: command ?? [], timeoutMs, signal });
}
