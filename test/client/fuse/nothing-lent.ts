/** Of an access that stands for one: nothing is lent to it. */
import { LentFiles } from '../../../client/lent-files.ts';

const clock = { now: () => 0 } as never;

export const nothingLent = {
  lent: new LentFiles({
    clock,
    log: { error: () => undefined },
    isValid: () => false,
    closeNow: () => undefined,
    bear: () => Promise.resolve(),
  }),
  settled: () => undefined,
  here: () => undefined,
  changeHere: () => undefined,
  makeHere: () => undefined,
  openHere: () => undefined,
  targetHere: () => undefined,
};
