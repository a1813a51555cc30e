/**
 * The real Runtime: clocks, sockets, disks and logs of Node. Nothing else in the project touches
 * them. Its parts are in `node/`.
 */
import { limits } from '../limits.ts';
import { recordKinds } from '../trace/record.ts';
import { recordedLog } from '../trace/recorded-log.ts';
import { Recorder } from '../trace/recorder.ts';
import type { RingInfo } from '../trace/ring-header.ts';
import type { Role } from '../wire/op.ts';
import { makeClock } from './clock.ts';
import { makeDisk } from './node/disk.ts';
import { makeKillPoint } from './node/kill-point.ts';
import { type LogSettings, openLog } from './node/log-lines.ts';
import { readBootId } from './node/host-ids.ts';
import { makeNet, type NetSettings } from './node/net.ts';
import { makeRandom } from './node/random.ts';
import { makeSharedFiles } from './node/shared-files.ts';
import { isRecorded } from './kill-points.ts';
import { keepTraceFile, type TraceFileOptions } from './node/trace-file.ts';
import type { Runtime } from './runtime.ts';

export interface NodeRuntimeSettings {
  readonly log: LogSettings;
  /** `NAME` or `NAME:N`; by default what the environment variable WEFT_KILL_POINT says. */
  readonly killPoints?: string | undefined;
  readonly frames?: NetSettings['frames'];
  readonly origins?: NetSettings['origins'];
  /** Who records, and what becomes of the files; by default a client. */
  readonly trace?: Partial<TraceSettings>;
}

interface TraceSettings extends Pick<TraceFileOptions, 'filesKept' | 'isRemovedAtEnd'> {
  readonly role: Role;
  /** Its name in the iodtab, or the client's own. */
  readonly name: string;
}

const ofLibrary: TraceSettings = {
  role: 'client',
  name: `process ${process.pid}`,
  filesKept: limits.traceFilesKeptOfClients,
  isRemovedAtEnd: false,
};

/** @throws FsError EINVAL for a kill point that does not exist */
export function makeNodeRuntime(settings: NodeRuntimeSettings): Runtime {
  const { frames = 'direct', origins, killPoints = process.env['WEFT_KILL_POINT'] } = settings;
  const clock = makeClock();
  const kill = makeKillPoint(killPoints);
  const { role, name, filesKept, isRemovedAtEnd } = { ...ofLibrary, ...settings.trace };
  const records = role === 'client' ? limits.traceRecordsOfClient : limits.traceRecordsOfServer;
  const { pid } = process;
  const recorder = new Recorder(records, { role, name, pid, boot: readBootId(), anchor: anchor() });
  const log = recordedLog(openLog(settings.log), recorder, clock);
  return {
    clock,
    random: makeRandom(),
    net: makeNet({ log, frames, origins }),
    disk: makeDisk(),
    sharedFiles: makeSharedFiles(),
    log,
    recorder,
    keepTrace: (directory) =>
      keepTraceFile({ recorder, log, directory, filesKept, isRemovedAtEnd }),
    killPoint(point) {
      if (isRecorded(point)) recorder.record(recordKinds.step, clock.now(), recorder.text(point));
      kill(point);
    },
  };
}

/** One moment by every clock that traces are compared by. */
function anchor(): RingInfo['anchor'] {
  const atMs = performance.now();
  const hostMs = Number(process.hrtime.bigint()) / 1e6;
  return { atMs, hostMs, wallMs: performance.timeOrigin + atMs };
}
