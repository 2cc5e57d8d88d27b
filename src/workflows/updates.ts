/** Handlers of the query, the updates and the signal. `core/` decides what follows from them. */
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import {
  abortUpdate,
  landedUpdate,
  lateSignal,
  parseAbort,
  parseLanded,
  parseLate,
  parseProvideSeed,
  parseRetry,
  parseSetPriority,
  parseWorking,
  provideSeedUpdate,
  retryUpdate,
  setPriorityUpdate,
  statusQuery,
  workingSignal,
  type Parsed,
} from '../messages.js';
import {
  answerToLanded,
  answerToPriority,
  answerToRetry,
  answerToSeed,
  reasonOf,
  refusalOfAbort,
  refusalOfLanded,
  refusalOfPriority,
  refusalOfRetry,
  refusalOfSeed,
  type Refusal,
} from './core/answers.js';
import { statusOf } from './core/views.js';
import type { Sector } from './sector.js';

/** Registers the handlers. A refused update adds no event to the history; its sender gets the message. */
export function answerUpdates(sector: Sector): void {
  setHandler(
    workingSignal,
    (given) => {
      const { data } = parseWorking(given);
      if (data) sector.dispatch({ type: 'working', ...data });
    },
    { description: 'sent by hosts: {"phase": "P1", "host": "10.0.0.1"}' },
  );

  setHandler(
    lateSignal,
    (given) => {
      const { data } = parseLate(given);
      if (data) sector.dispatch({ type: 'late', ...data });
    },
    { description: 'sent by hosts: {"phase": "P1", "why": "…"}' },
  );

  setHandler(statusQuery, () => statusOf(sector.state), {
    description: 'state of the sector and of its phases',
  });

  setHandler(
    provideSeedUpdate,
    (given) => {
      const answer = answerToSeed(sector.state, given);
      sector.dispatch({ type: 'seed', ...given });
      return answer;
    },
    {
      description: 'the seed that P3 needs: {"seed": "64 hex digits", "replace": false}',
      validator: (given) => refuse(refusalOfSeed(sector.state, required(parseProvideSeed(given), 'BadSeed'))),
    },
  );

  setHandler(
    landedUpdate,
    () => {
      const answer = answerToLanded(sector.state);
      sector.dispatch({ type: 'landed' });
      return answer;
    },
    {
      description: 'the proof is on chain; P6 may delete the scratch: {"message": "…"?}',
      validator: (given) => {
        required(parseLanded(given ?? {}), 'BadNotice');
        refuse(refusalOfLanded(sector.state));
      },
    },
  );

  setHandler(
    setPriorityUpdate,
    (given) => {
      const answer = answerToPriority(sector.state, given);
      sector.dispatch({ type: 'priority', ...given });
      return answer;
    },
    {
      description: 'before other sectors or not, from its next task on: {"priority": true}',
      validator: (given) => {
        required(parseSetPriority(given), 'BadPriority');
        refuse(refusalOfPriority(sector.state));
      },
    },
  );

  setHandler(
    abortUpdate,
    (given) => {
      sector.dispatch({ type: 'abort', why: reasonOf(given) });
      return 'aborting';
    },
    {
      description: 'end the sector and delete its files: {"why": "…"?}',
      validator: (given) => {
        required(parseAbort(given ?? {}), 'BadAbort');
        refuse(refusalOfAbort(sector.state));
      },
    },
  );

  setHandler(
    retryUpdate,
    // Without --input the Temporal CLI sends no argument.
    (given = {}) => {
      const answer = answerToRetry(sector.state, given);
      sector.dispatch({ type: 'retry', ...given });
      return answer;
    },
    {
      description: 'resume after needs-attention: {"from": "P2"?, "ticket": "…"?, "acceptCommR": true?}',
      validator: (given) =>
        refuse(refusalOfRetry(sector.state, required(parseRetry(given ?? {}), 'BadRetry'))),
    },
  );
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
}

/** @returns the validated input @throws ApplicationFailure of that type, with the first problem found */
function required<T>({ data, error }: Parsed<T>, type: string): T {
  if (data !== undefined) return data;
  const issue = error?.issues[0];
  const where = issue?.path.join('.');
  const message = `${where ? `${where}: ` : ''}${issue?.message ?? 'invalid'}`;
  throw ApplicationFailure.nonRetryable(message, type);
}
