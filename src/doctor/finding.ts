/** Results of the checks of `sealflow doctor`. */

/** `warn`: works, but badly or not for long; `skipped`: could not be checked, or does not apply here. */
export type Result = 'ok' | 'warn' | 'fail' | 'skipped';

export interface Finding {
  /** `room /sealer`: what is checked, with the directory if there are several. */
  check: string;
  result: Result;
  /** The actual state; with `skipped`, the reason. */
  found: string;
  /** The desired state; empty if nothing is wrong. */
  wanted: string;
  /** What a person can do about it, in one sentence. */
  hint: string;
}

/** A finding without the name of its check. */
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

/**
 * Combines several verdicts: the worst result, with one line for each failure and warning.
 * @param otherwise returned if there is no failure or warning
 */
export function together(verdicts: readonly Verdict[], otherwise: Verdict): Verdict {
  const bad = verdicts.filter(({ result }) => result === 'fail' || result === 'warn');
  const result = WORST_FIRST.find((kind) => bad.some((verdict) => verdict.result === kind));
  if (result === undefined) return otherwise;
  const lines = (of: (verdict: Verdict) => string): string => [...new Set(bad.map(of))].join('\n');
  return {
    result,
    found: lines(({ found }) => found),
    wanted: lines(({ wanted }) => wanted),
    hint: lines(({ hint }) => hint),
  };
}

/** 0 if no check failed. */
export const exitCodeOf = (findings: readonly Finding[]): 0 | 1 =>
  findings.some(({ result }) => result === 'fail') ? 1 : 0;
