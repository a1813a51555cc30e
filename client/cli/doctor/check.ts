/** What a doctor finds at one place: pure data. */

export const verdicts = ['ok', 'skipped', 'warning', 'error'] as const;
export type CheckVerdict = (typeof verdicts)[number];

export interface Check {
  /** What was looked at, as `node` or `iod1: clock`. */
  readonly name: string;
  readonly verdict: CheckVerdict;
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

/** The worst of them. */
export function worstOf(checks: readonly Check[]): CheckVerdict {
  const rank = Math.max(0, ...checks.map(({ verdict }) => verdicts.indexOf(verdict)));
  return verdicts[rank] ?? 'ok';
}
