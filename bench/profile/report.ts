/** What a profile report holds. */
import type { Report } from '../peers/report.ts';
import type { Kind } from './summary.ts';

export interface ProfileReport extends Pick<Report, 'schema' | 'isQuick' | 'machine'> {
  readonly profiled: readonly Profiled[];
}

export const roles = ['client', 'mgr', 'iods'] as const;
export type ProfiledRole = (typeof roles)[number];

export interface Profiled {
  readonly headline: string;
  readonly per: 'call' | 'GiB';
  readonly perSecond: number;
  readonly processes: readonly ProfiledProcess[];
}

export interface ProfiledProcess {
  readonly role: ProfiledRole;
  /** Processor time as the system counts it: microseconds a call, milliseconds a GiB. */
  readonly cpu: number;
  /** Parts of the samples, together 1. */
  readonly byKind: Readonly<Record<Kind, number>>;
  /** Functions with the most self time, and their parts. */
  readonly longest: readonly (readonly [where: string, part: number])[];
}
