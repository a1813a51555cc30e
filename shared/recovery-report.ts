/**
 * What one recovery was: why, which phases it took, what came back, what did not, and what nobody
 * can know. One document a recovery, for programs and for `weft recovery` (SCENARIOS 276). Pure.
 */
import { FsError } from './errno.ts';
import { limits } from './limits.ts';
import type { Timestamp } from './units.ts';

/** Grows when a field changes its meaning or goes away. */
export const recoverySchema = 1;

export const recoveryCauses = [
  /** A daemon started: on a new directory; after a stop in order; after the death of its process. */
  'first-start',
  'clean-restart',
  'crash',
  /** A daemon started after its host had: what was not on the disk is gone. */
  'host-restart',
  /** An iod lost the mgr and synced anew; it had served without state, and found one. */
  'mgr-lost',
  'mgr-found',
  /** As the mgr sees it: an iod was away; clients stayed away for too long. */
  'iod-lost',
  'sessions-lost',
] as const;
export type RecoveryCause = (typeof recoveryCauses)[number];

/**
 * `provisional`: the iod serves, but without state, for want of a mgr. `interrupted`: the daemon
 * was stopped before the end.
 */
export const recoveryOutcomes = ['recovered', 'provisional', 'interrupted'] as const;
export type RecoveryOutcome = (typeof recoveryOutcomes)[number];

/** A phase of a recovery that began again is still one phase. */
export interface RecoveryPhase {
  readonly name: string;
  /** When it began for the first time, milliseconds since the recovery did. */
  readonly atMs: number;
  /** In all. */
  readonly tookMs: number;
  readonly times: number;
}

/** Something of which there were several, and whose they were. */
export interface RecoveryItem {
  /** A plural, as in `opens`. */
  readonly what: string;
  /** `null`: nobody can know. */
  readonly count: number | null;
  /** The first of them, at most `limits.recoveryNamesMax`. */
  readonly for: readonly string[];
}

export interface RecoveryReport {
  /** Of all reports of the daemon's directory: grows by one with each. */
  readonly number: number;
  /** `mgr`, or the name of the iod. */
  readonly daemon: string;
  readonly cause: RecoveryCause;
  /** The cause in words, with its particulars. */
  readonly why: string;
  readonly outcome: RecoveryOutcome;
  /** By the daemon's own clock on the wall; all else is measured. */
  readonly startedAt: Timestamp;
  readonly tookMs: number;
  readonly phases: readonly RecoveryPhase[];
  /** Why it had to begin again, and how often. */
  readonly restarts: readonly { readonly why: string; readonly times: number }[];
  readonly restored: readonly RecoveryItem[];
  readonly dropped: readonly RecoveryItem[];
  readonly uncertain: readonly RecoveryItem[];
}

/** At most `limits.recoveryReportBytesMax` bytes; names that would not fit are left out. */
export function encodeRecovery(report: RecoveryReport): string {
  const text = JSON.stringify({ schema: recoverySchema, ...report });
  if (Buffer.byteLength(text) <= limits.recoveryReportBytesMax) return text;
  const { restored, dropped, uncertain } = report;
  return JSON.stringify({
    schema: recoverySchema,
    ...report,
    restored: nameless(restored),
    dropped: nameless(dropped),
    uncertain: nameless(uncertain),
  });
}

function nameless(items: readonly RecoveryItem[]): readonly RecoveryItem[] {
  return items.map((item) => ({ ...item, for: [] }));
}

/** @throws FsError EINVAL for what is no report, or one of a later schema */
export function decodeRecovery(text: string): RecoveryReport {
  const value = parse(text);
  if (!isObject(value)) throw damaged('it is no object');
  const { schema, ...report } = value;
  if (typeof schema === 'number' && schema > recoverySchema) {
    throw damaged(`it has schema ${schema}, this version reads up to ${recoverySchema}`);
  }
  const wrong = Object.entries(fields).find(([name, isValid]) => !isValid(report[name]));
  if (wrong !== undefined || schema !== recoverySchema) {
    throw damaged(`it has no valid ${wrong?.[0] ?? 'schema'}`);
  }
  return report as unknown as RecoveryReport;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isAmount: Check = (value) => typeof value === 'number' && value >= 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && isAmount(value);
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.some((one) => one === value);
const listOf =
  (isElement: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isElement);
const struct =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, isValid]) => isValid(value[name]));

const items = listOf(
  struct({
    what: isText,
    count: (value) => value === null || isCount(value),
    for: listOf(isText),
  }),
);

const fields: Readonly<Record<keyof RecoveryReport, Check>> = {
  number: isCount,
  daemon: isText,
  cause: oneOf(recoveryCauses),
  why: isText,
  outcome: oneOf(recoveryOutcomes),
  startedAt: struct({ seconds: isCount, nanoseconds: isCount }),
  tookMs: isAmount,
  phases: listOf(struct({ name: isText, atMs: isAmount, tookMs: isAmount, times: isCount })),
  restarts: listOf(struct({ why: isText, times: isCount })),
  restored: items,
  dropped: items,
  uncertain: items,
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged('it is no JSON', error);
  }
}

function damaged(why: string, cause?: unknown): FsError {
  const what = `this is no report of a recovery: ${why}`;
  return new FsError('EINVAL', { what, ...(cause !== undefined && { cause }) });
}
