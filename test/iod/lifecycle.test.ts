import test from 'ava';
import { admit, type IodState, iodTransitions } from '../../iod/lifecycle.ts';
import { isFsError } from '../../shared/errno.ts';
import { controlOps, dataOps } from '../../shared/wire/iod-ops.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import type { Op } from '../../shared/wire/op.ts';

function verdict(state: IodState, op: Op): string {
  try {
    admit(state, op);
    return 'serve';
  } catch (error) {
    return isFsError(error) ? (error.weftCode ?? error.code) : String(error);
  }
}

test('each state has a verdict for each class of messages', (t) => {
  const classes = [linkOps.ping, dataOps.read, dataOps.write, controlOps.truncate] as Op[];
  const table = Object.keys(iodTransitions).map((state) => [
    state,
    ...classes.map((op) => verdict(state as IodState, op)),
  ]);
  t.deepEqual(table, [
    ['BOOT', 'serve', 'WEFT_E_STARTING', 'WEFT_E_STARTING', 'WEFT_E_STARTING'],
    ['SYNCING', 'serve', 'WEFT_E_RESYNCING', 'WEFT_E_RESYNCING', 'serve'],
    ['SERVING', 'serve', 'serve', 'serve', 'serve'],
    ['DRAINING', 'serve', 'serve', 'WEFT_E_DRAINING', 'serve'],
    ['STOPPED', 'EPIPE', 'EPIPE', 'EPIPE', 'EPIPE'],
  ]);
});

test('an iod only ever moves forward, and can stop in every state but the last', (t) => {
  const order = Object.keys(iodTransitions) as IodState[];
  for (const [at, state] of order.entries()) {
    for (const next of iodTransitions[state]) t.true(order.indexOf(next) > at);
    t.is(iodTransitions[state].includes('STOPPED'), state !== 'STOPPED');
  }
});
