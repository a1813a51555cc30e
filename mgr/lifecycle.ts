/** The states of a mgr, and what it does with a request in each: two total tables (DESIGN 7). */
import { FsError } from '../shared/errno.ts';
import { Machine, type Transitions } from '../shared/machine.ts';
import type { Op } from '../shared/wire/op.ts';

/**
 * BOOT: nothing is loaded yet, the port is closed. RECOVERING: all is loaded and served; sessions
 * of before the restart may come back. ACTIVE: those that did not are ended. STOPPED: no more.
 */
export type MgrState = 'BOOT' | 'RECOVERING' | 'ACTIVE' | 'STOPPED';
export type MgrLifecycle = Machine<MgrState>;

const transitions: Transitions<MgrState> = {
  BOOT: ['RECOVERING', 'STOPPED'],
  RECOVERING: ['ACTIVE', 'STOPPED'],
  ACTIVE: ['STOPPED'],
  STOPPED: [],
};

export const mgrStates = Object.keys(transitions);

type Verdict = 'serve' | 'starting' | 'stopping';

/**
 * RECOVERING serves everything: opens, orphans and replies are loaded, and nothing of a session
 * that may still come back is given to others before it has ended.
 */
const verdicts: Readonly<Record<MgrState, Readonly<Record<Op['traits']['class'], Verdict>>>> = {
  BOOT: { link: 'serve', read: 'starting', write: 'starting', control: 'starting' },
  RECOVERING: { link: 'serve', read: 'serve', write: 'serve', control: 'serve' },
  ACTIVE: { link: 'serve', read: 'serve', write: 'serve', control: 'serve' },
  STOPPED: { link: 'stopping', read: 'stopping', write: 'stopping', control: 'stopping' },
};

const startingRetryMs = 100;
const stoppingRetryMs = 500;

export function makeLifecycle(
  onChange: (from: MgrState, to: MgrState, why: string) => void,
): MgrLifecycle {
  return new Machine(transitions, 'BOOT', onChange);
}

/** @throws FsError EAGAIN when this state does not serve messages of this class */
export function admit(state: MgrState, messages: Op['traits']['class']): void {
  const verdict = verdicts[state][messages];
  if (verdict === 'serve') return;
  throw verdict === 'starting'
    ? new FsError('EAGAIN', {
        id: 'WEFT_E_STARTING',
        what: 'the mgr is starting',
        retryAfterMs: startingRetryMs,
      })
    : new FsError('EAGAIN', {
        id: 'WEFT_E_DRAINING',
        what: 'the mgr is stopping',
        retryAfterMs: stoppingRetryMs,
      });
}
