/** Recoveries that run, by what the mgr says of them. Pure. */
import type { ClusterStatus } from '../../file-system.ts';
import { counted } from '../../../shared/figures.ts';
import { duration, progressText } from '../../observing/recovery-words.ts';

export interface Progress {
  readonly daemon: string;
  /** What it is doing. */
  readonly text: string;
  /** Of `total`; 0 of 0 when it cannot be counted. */
  readonly done: number;
  readonly total: number;
  /** How long it may take at the most, in words. */
  readonly left: string | undefined;
}

export function runningRecoveries(status: ClusterStatus): readonly Progress[] {
  const { recovery, members, absences } = status;
  const ofMgr = recovery === undefined ? [] : [{ ...recovery, daemon: 'mgr' }];
  return [
    ...ofMgr.map(({ daemon, leftMs, ...state }): Progress => {
      const text = progressText({ ...state, leftMs: undefined }, 'session');
      const left = leftMs === undefined ? undefined : duration(leftMs);
      return { daemon, text, done: state.done, total: state.total, left };
    }),
    ...absences.map(({ index, done, total, leftMs }): Progress => {
      const { name = `iod ${index}`, state = 'absent' } =
        members.find((member) => member.index === index) ?? {};
      const heard = total > 0 ? `, has heard of ${done} of at most ${counted(total, 'open')}` : '';
      const lease = leftMs === undefined ? '' : `, its lease ends in ${duration(leftMs)}`;
      return { daemon: name, text: `${state}${heard}${lease}`, done, total, left: undefined };
    }),
  ];
}
