/**
 * The real Runtime: clocks, sockets, disks and logs of Node. Nothing else in the project touches
 * them. Its parts are in `node/`.
 */
import { makeClock } from './node/clock.ts';
import { makeDisk } from './node/disk.ts';
import { makeKillPoint } from './node/kill-point.ts';
import { type LogSettings, openLog } from './node/log-lines.ts';
import { makeNet, type NetSettings } from './node/net.ts';
import { makeRandom } from './node/random.ts';
import type { Runtime } from './runtime.ts';

export interface NodeRuntimeSettings {
  readonly log: LogSettings;
  /** `NAME` or `NAME:N`; by default what the environment variable WEFT_KILL_POINT says. */
  readonly killPoints?: string | undefined;
  readonly frames?: NetSettings['frames'];
}

/** @throws FsError EINVAL for a kill point that does not exist */
export function makeNodeRuntime(settings: NodeRuntimeSettings): Runtime {
  const log = openLog(settings.log);
  const { frames = 'direct', killPoints = process.env['WEFT_KILL_POINT'] } = settings;
  return {
    clock: makeClock(),
    random: makeRandom(),
    net: makeNet({ log, frames }),
    disk: makeDisk(),
    log,
    killPoint: makeKillPoint(killPoints),
  };
}
