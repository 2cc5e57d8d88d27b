/** Keeps the server told what this host serves: see src/host-statement.ts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { hostsQueue } from '../contract.js';
import { encodeStatement, type HostStatement } from '../host-statement.js';
import { every } from './every.js';

export interface ToldServerOptions {
  connection: NativeConnection;
  namespace: string;
  groups: readonly number[];
  statement: () => HostStatement;
}

/** The server ends a poll after a minute; a little later so does this host. */
const POLL_MS = 70_000;
/** After a poll that fails: the connection itself tries again all the time. */
const AGAIN_MS = 5_000;
/** Slots are taken and left all the time with small sectors: told after this long. */
const SLOTS_MS = 5_000;
/** The last word, that the host ends, is sent within it; nothing says that it came. */
const LAST_WORD_MS = 200;

export class ToldServer {
  private told = '';
  /** Ends the wait for the poll, so that the next one is made under the new name. */
  private pollAnew: () => void = () => undefined;

  constructor(private readonly options: ToldServerOptions) {}

  /** To be called when the statement may have changed. */
  renew(): void {
    if (this.told !== keyOf(this.options.statement())) this.pollAnew();
  }

  /** Tells it until the signal is aborted, and then that the host has stopped. Never throws: sealing does not depend on it. */
  async keepTelling(signal: AbortSignal): Promise<void> {
    every(SLOTS_MS, signal, () => this.renew());
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    while (!signal.aborted) {
      const statement = this.options.statement();
      this.told = keyOf(statement);
      const renewed = new Promise<void>((resolve) => (this.pollAnew = resolve));
      await Promise.race([this.poll(statement, signal), renewed, stopped]);
    }
    const last = this.poll({ ...this.options.statement(), stopped: new Date() }, signal);
    await Promise.race([last, sleep(LAST_WORD_MS)]);
  }

  /** A poll that is given up lasts on at the server, which stamps its name anew when it ends: hence `told`. */
  private async poll(statement: HostStatement, signal: AbortSignal): Promise<void> {
    const { connection, namespace, groups } = this.options;
    const identity = encodeStatement({ ...statement, told: new Date() });
    const polls = groups.map((group) =>
      connection.withDeadline(Date.now() + POLL_MS, () =>
        connection.workflowService.pollActivityTaskQueue({
          namespace,
          taskQueue: { name: hostsQueue(group) },
          identity,
        }),
      ),
    );
    await Promise.all(polls).catch(() => sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined));
  }
}

/** When a slot will be free, and how much room is lacking, is another figure at each look. */
const keyOf = ({ obstacles, drained, noRoom, pools }: HostStatement): string =>
  JSON.stringify([obstacles, drained, noRoom?.since, pools.map(({ slots, taken }) => taken >= slots)]);
