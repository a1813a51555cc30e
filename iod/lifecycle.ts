/**
 * The states of an iod, its legal moves, and what it admits in each (DESIGN 4). Both tables are
 * total: a state or a class that is forgotten does not compile. Pure.
 */
import type { ErrorId } from '../shared/error-catalogue.ts';
import { FsError } from '../shared/errno.ts';
import type { Transitions } from '../shared/machine.ts';
import type { Op, Traits } from '../shared/wire/op.ts';

export type IodState = 'BOOT' | 'SYNCING' | 'SERVING' | 'DRAINING' | 'STOPPED';

export const iodTransitions: Transitions<IodState> = {
  BOOT: ['SYNCING', 'STOPPED'],
  SYNCING: ['SERVING', 'STOPPED'],
  // A table that is built anew is built aside: serving goes on meanwhile.
  SERVING: ['DRAINING', 'STOPPED'],
  DRAINING: ['STOPPED'],
  STOPPED: [],
};

export const iodStates = Object.keys(iodTransitions);

/** `serve`, or why not now: TRY_AGAIN with this code; `gone` is for good. */
type Verdict = 'serve' | 'gone' | ErrorId;

const verdicts: Readonly<Record<IodState, Readonly<Record<Traits['class'], Verdict>>>> = {
  BOOT: {
    link: 'serve',
    read: 'WEFT_E_STARTING',
    write: 'WEFT_E_STARTING',
    control: 'WEFT_E_STARTING',
  },
  // The mgr has truncates and removes done that were left over, before it lets the iod serve.
  SYNCING: {
    link: 'serve',
    read: 'WEFT_E_RESYNCING',
    write: 'WEFT_E_RESYNCING',
    control: 'serve',
  },
  SERVING: { link: 'serve', read: 'serve', write: 'serve', control: 'serve' },
  DRAINING: { link: 'serve', read: 'serve', write: 'WEFT_E_DRAINING', control: 'serve' },
  STOPPED: { link: 'gone', read: 'gone', write: 'gone', control: 'gone' },
};

const retryAfterMs = 50;

/** @throws FsError EAGAIN with the reason, EPIPE when the iod has stopped */
export function admit(state: IodState, { traits }: Op): void {
  const verdict = verdicts[state][traits.class];
  if (verdict === 'serve') return;
  if (verdict === 'gone') throw new FsError('EPIPE', { what: 'the iod has stopped' });
  throw new FsError('EAGAIN', { id: verdict, retryAfterMs });
}
