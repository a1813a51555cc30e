/** Messages of iods to the mgr: codes 200-219. */
import { limits } from '../limits.ts';
import { bool, empty, list, optional, struct, text, u16, u32, u53 } from './codec.ts';
import { op, type Role, type Traits } from './op.ts';
import { handle, id32, iodIndex, openEntry, openPlace, openRange } from './values.ts';

const iod: readonly Role[] = ['iod'];
const sync: Traits = { from: iod, class: 'control', resend: 'never' };

export const syncOps = {
  join: op(
    200,
    'An iod that starts says who it is; the mgr cuts the stream of opens here and sends all changes after the cut.',
    sync,
    struct({
      name: text(255),
      host: text(255),
      hostId: text(128),
      /** Identity of its disk, made once; and a number that grows with every start on that disk. */
      storeId: id32,
      incarnation: u53(),
      /** The life that the mgr confirmed last as far as this disk knows, and all after it. */
      lives: list(id32, limits.unconfirmedLivesMax + 1),
      generationSeen: u53(),
      openSequence: u53(),
      quarantined: u32,
      /** Number of its file system on its host, which other iods may have as well. */
      device: u53(),
      totalBytes: u53(),
      freeBytes: u53(),
    }),
    struct({ index: iodIndex, cluster: text(64), cut: u53(), opens: u53(), running: u16 }),
  ),
  snapshot: op(
    201,
    'A page of the open table of this iod, after (handle, session) and up to a handle, and where it goes on.',
    sync,
    struct({ after: openPlace, upTo: handle }),
    struct({
      entries: list(openEntry, limits.opensPerSnapshotChunk),
      next: optional(openPlace),
    }),
  ),
  confirm: op(
    202,
    'The iod has the snapshot and the changes up to a number; the mgr confirms that it has caught up.',
    sync,
    struct({ sequence: u53() }),
    struct({ caughtUp: bool, sequence: u53() }),
  ),
  serving: op(
    203,
    'The iod listens: from now on clients are sent to it.',
    sync,
    struct({ port: u16, unixPath: text(108) }),
    empty,
  ),
  draining: op(204, 'The iod is about to stop.', sync, empty, empty),
  report: op(
    205,
    'Space and quarantine of an iod, from time to time.',
    sync,
    struct({ device: u53(), totalBytes: u53(), freeBytes: u53(), quarantined: u32 }),
    empty,
  ),
  compare: op(
    206,
    'Digests of the open table of this iod after a handle, range by range, or one of all of it: what the iod knows already need not travel.',
    sync,
    struct({ after: handle, whole: bool }),
    struct({ ranges: list(openRange, limits.openRangesPerPage), done: bool }),
  ),
};
