/** What a check of `sealflow doctor` has to say. */

/** `warn`: it works, but badly or not for long; `skipped`: it could not be looked at, or means nothing here. */
export type Result = 'ok' | 'warn' | 'fail' | 'skipped';

export interface Finding {
  /** `room /sealer`: what is looked at, and of which directory where there are several. */
  check: string;
  result: Result;
  /** What is the case; with `skipped` why it was not looked at. */
  found: string;
  /** What should be; empty when that is the case. */
  wanted: string;
  /** What a person can do about it, in one sentence. */
  hint: string;
}

/** A finding before it is known whose it is. */
export type Verdict = Omit<Finding, 'check'>;

export const ok = (found: string): Verdict => ({ result: 'ok', found, wanted: '', hint: '' });
export const skipped = (why: string): Verdict => ({ result: 'skipped', found: why, wanted: '', hint: '' });
export const warn = (found: string, wanted: string, hint: string): Verdict => ({
  result: 'warn',
  found,
  wanted,
  hint,
});
export const fail = (found: string, wanted: string, hint: string): Verdict => ({
  result: 'fail',
  found,
  wanted,
  hint,
});

const WORST_FIRST: readonly Result[] = ['fail', 'warn', 'skipped', 'ok'];

/** Several in one: as bad as the worst; what each failure and warning has to say, a line each. */
export function together(verdicts: readonly Verdict[], otherwise: Verdict): Verdict {
  const bad = verdicts.filter(({ result }) => result === 'fail' || result === 'warn');
  const result = WORST_FIRST.find((kind) => bad.some((verdict) => verdict.result === kind));
  if (result === undefined) return otherwise;
  const all = (of: (verdict: Verdict) => string): string => [...new Set(bad.map(of))].join('\n');
  return {
    result,
    found: all(({ found }) => found),
    wanted: all(({ wanted }) => wanted),
    hint: all(({ hint }) => hint),
  };
}

/** 0 when no check fails. */
export const exitCodeOf = (findings: readonly Finding[]): 0 | 1 =>
  findings.some(({ result }) => result === 'fail') ? 1 : 0;
