/** The query and the updates that a sector answers. */
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import {
  abortSchema,
  abortUpdate,
  landedSchema,
  landedUpdate,
  provideSeedSchema,
  provideSeedUpdate,
  retrySchema,
  retryUpdate,
  statusQuery,
  type Abort,
  type Retry,
} from '../messages.js';
import type { Sector } from './sector.js';
import { statusOf } from './status.js';
import { StepBack } from './step-back.js';

const refuse = (type: string, message: string): never => {
  throw ApplicationFailure.nonRetryable(message, type);
};

/** @returns false when there is nothing to take back: the phase is still to come. */
function goBack(sector: Sector, back: StepBack): boolean {
  const begun = sector.hasBegun(back);
  if (begun) sector.backs.ask(back);
  return begun;
}

/** A refused update leaves no event in the history, and its message reaches the person who sent it. */
export function answerMessages(sector: Sector): void {
  setHandler(statusQuery, () => statusOf(sector), { description: 'state of the sector and of its phases' });

  setHandler(
    provideSeedUpdate,
    ({ seed, replace }) => {
      if (seed === sector.seal.seed) return 'known already';
      const replaced = sector.seal.seed !== undefined;
      sector.seal = { ...sector.seal, seed };
      // What has landed was the proof of the seed before.
      sector.landed = false;
      if (replaced && replace) goBack(sector, new StepBack('P3', 'another seed', 'none'));
      return replaced ? 'replaced' : 'stored';
    },
    {
      description: 'the seed that P3 needs: {"seed": "64 hex digits", "replace": false}',
      validator: (given) => {
        const parsed = provideSeedSchema.safeParse(given);
        if (!parsed.success) return refuse('BadSeed', parsed.error.issues[0]?.message ?? 'not a seed');
        const known = sector.seal.seed;
        if (known !== undefined && known !== parsed.data.seed) {
          if (!parsed.data.replace)
            refuse('SeedKnown', 'another seed is known already; replace takes P3 back');
          if (sector.cleaning()) refuse('TooLate', 'P6 has begun');
        }
      },
    },
  );

  setHandler(
    landedUpdate,
    () => {
      sector.landed = true;
      return sector.waitsFor === 'landed' ? 'P6 goes on' : 'noted';
    },
    {
      description: 'the proof is on chain, P6 may delete the scratch: {"message": "…"?}',
      validator: (given) => {
        const parsed = landedSchema.safeParse(given ?? {});
        if (!parsed.success) refuse('BadWord', parsed.error.issues[0]?.message ?? 'not understood');
        if (sector.ending) refuse('TooLate', `it is ${sector.state()}`);
        if (!sector.results.P4) refuse('TooEarly', 'there is no proof yet');
      },
    },
  );

  setHandler(
    abortUpdate,
    (given: Abort | undefined) => {
      sector.abort(given?.why ?? 'by an operator');
      return 'aborting';
    },
    {
      description: 'end the sector and delete its files: {"why": "…"?}',
      validator: (given) => {
        const parsed = abortSchema.safeParse(given ?? {});
        if (!parsed.success) refuse('BadAbort', parsed.error.issues[0]?.message ?? 'not understood');
        if (sector.ending) refuse('TooLate', `it is ${sector.state()}`);
        if (sector.phases.P6.state !== 'waiting')
          refuse('TooLate', 'P6 has begun: the sector is all but sealed');
      },
    },
  );

  setHandler(
    retryUpdate,
    (given: Retry | undefined) => {
      // The Temporal CLI sends nothing where a person says nothing.
      const { from, ticket, acceptCommR } = given ?? {};
      if (acceptCommR) sector.acceptCommR();
      if (ticket !== undefined && ticket !== sector.seal.ticket) {
        sector.newTicket(ticket);
        goBack(sector, new StepBack('P1', 'a new ticket', 'none'));
        return 'back to P1 with a new ticket';
      }
      if (from) {
        const back = new StepBack(from, 'asked for by an operator', 'all');
        return goBack(sector, back) ? `back to ${from}` : `${from} is still to come`;
      }
      sector.retryNow();
      return 'going on';
    },
    {
      description: 'go on after needs-attention: {"from": "P2"?, "ticket": "…"?, "acceptCommR": true?}',
      validator: (given) => {
        const parsed = retrySchema.safeParse(given ?? {});
        if (!parsed.success) {
          const issue = parsed.error.issues[0];
          return refuse('BadRetry', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
        }
        const { from, ticket, acceptCommR } = parsed.data;
        const goesBack = from !== undefined || ticket !== undefined;
        if (sector.cleaning() && (goesBack || !sector.waitsForRetry())) refuse('TooLate', 'P6 has begun');
        if (!goesBack && !sector.waitsForRetry()) refuse('NothingToRetry', 'nothing waits for a retry');
        if (acceptCommR && !sector.asksForCommR()) refuse('NothingToAccept', 'no commR waits to be accepted');
      },
    },
  );
}
