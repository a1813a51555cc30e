/** Kills this very process at a named step, for tests with real processes. */
import { FsError } from '../../errno.ts';
import { isSentPoint, type KillPoint, killPoints } from '../kill-points.ts';

/**
 * @param spec `NAME` or `NAME:N`, as in the environment variable WEFT_KILL_POINT: SIGKILL at the
 *   N-th passing (from 1) of that point. `undefined`: all points do nothing.
 * @throws FsError EINVAL for a point that does not exist, so that no test passes by a misspelling
 */
export function makeKillPoint(spec: string | undefined): (point: KillPoint) => void {
  if (spec === undefined || spec === '') {
    return () => {
      // The ordinary case: nobody tests.
    };
  }
  const [name, count = '1'] = spec.split(':');
  const target = killPoints.find((point) => point === name);
  let left = Number(count);
  if (target === undefined || !Number.isSafeInteger(left) || left < 1) {
    throw new FsError('EINVAL', { what: `WEFT_KILL_POINT is '${spec}', no known point` });
  }
  return (point) => {
    if (point !== target || --left !== 0) return;
    if (isSentPoint(point)) setImmediate(killSelf);
    else killSelf();
  };
}

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}
