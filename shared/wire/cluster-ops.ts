/** Messages of clients to the mgr about the cluster as a whole: codes 180-199. */
import { limits } from '../limits.ts';
import { bool, choice, empty, list, optional, struct, text, u32, u53 } from './codec.ts';
import { change, client, lookup, op, type Traits } from './op.ts';
import {
  bytesPlace,
  handle,
  iodIndex,
  layout,
  loadPage,
  member,
  members,
  offset,
  pathName,
  place,
  recoveryPage,
  recoveryState,
  session,
  waitPage,
} from './values.ts';

const cluster: Traits = { from: client, class: 'link', resend: 'idempotent' };

const fileRecord = struct({
  handle,
  layout,
  size: offset,
  links: u32,
  opens: u32,
  place: bytesPlace,
});

const sessionRecord = struct({
  session,
  name: text(255),
  uid: u32,
  gid: u32,
  /** Address of its client; without one the client is away. */
  host: optional(text(255)),
  /** Of a client that is away: until its session is ended, unless it comes back. */
  leftMs: optional(u53()),
  opens: u53(),
});

export const clusterOps = {
  status: op(
    180,
    'State of the mgr and of every iod. Answers in every state, without asking anybody.',
    cluster,
    empty,
    struct({
      cluster: text(64),
      version: text(32),
      state: text(32),
      uptimeMs: u53(),
      files: u53(),
      sessions: u32,
      /** Of them, those whose clients are away. */
      sessionsAway: u32,
      opens: u53(),
      reaping: u53(),
      /** False: the disk of the mgr is full, and nothing new is made. */
      hasRoom: bool,
      /** Last number of the stream of opens. */
      openSequence: u53(),
      residentBytes: u53(),
      /** Requests since its start, and what they took together. */
      answered: u53(),
      answeredInMicroseconds: u53(),
      members,
      /** What concerns everybody: the time after a start, or the cleaning up after lost clients. */
      recovery: optional(recoveryState),
      /** The iods that do not serve: opens that they were told of, and what is left of their lease. */
      absences: list(
        struct({ index: iodIndex, done: u53(), total: u53(), leftMs: optional(u53()) }),
        limits.iodsMax,
      ),
    }),
  ),
  members: op(
    181,
    'The iods and how to reach them.',
    cluster,
    empty,
    struct({ hostId: text(128), members }),
  ),
  listFiles: op(
    182,
    'All files that have bytes, in pages by handle: for fsck. Needs the cluster key.',
    lookup,
    struct({ after: handle }),
    struct({ files: list(fileRecord, limits.objectsPerListPage), done: bool }),
  ),
  pathOf: op(
    183,
    'One path of a handle, for reports. Needs the cluster key.',
    lookup,
    struct({ handle }),
    struct({ path: pathName }),
  ),
  pingIods: op(
    184,
    'Has the mgr ping every iod: round trip in microseconds, or the reason of failure.',
    cluster,
    empty,
    struct({
      results: list(
        struct({ index: iodIndex, microseconds: u53(), failure: text(255) }),
        limits.iodsMax,
      ),
    }),
  ),
  evictIod: op(
    185,
    'Takes an iod out of the membership until it is admitted again. Needs the cluster key.',
    change,
    struct({ index: iodIndex, admit: bool }),
    struct({ member }),
  ),
  recoveries: op(
    186,
    'Reports of recoveries with numbers below one, the latest first: of the mgr, or of an iod, which it asks. Needs the cluster key.',
    cluster,
    struct({ iod: optional(iodIndex), before: u53() }),
    recoveryPage,
  ),
  sessions: op(
    187,
    'The sessions with numbers above one, in pages. Needs the cluster key.',
    cluster,
    struct({ after: session }),
    struct({ sessions: list(sessionRecord, limits.sessionsPerPage), done: bool }),
  ),
  openFiles: op(
    188,
    'The files that somebody has open, with handles above one, in pages. Needs the cluster key.',
    cluster,
    struct({ after: handle }),
    struct({
      files: list(struct({ handle, holders: u32, writers: u32 }), limits.openFilesPerPage),
      done: bool,
    }),
  ),
  holders: op(
    189,
    'Who has a file open, by sessions above a number, in pages. Needs the cluster key.',
    cluster,
    struct({ handle, after: session }),
    struct({
      holders: list(
        struct({ by: sessionRecord, readers: u32, writers: u32 }),
        limits.sessionsPerPage,
      ),
      done: bool,
    }),
  ),
  makeTicket: op(
    190,
    "Makes a ticket, valid once and not for long: who proves its key has a session of the asker's user, for reading unless `write`. Needs the cluster key.",
    { from: client, class: 'read', resend: 'never' },
    struct({ write: bool }),
    struct({ name: text(64), lifeMs: u32 }),
  ),
  waits: op(
    191,
    'What waits in a process: the mgr, an iod, or the client of a session, which it asks. Needs the cluster key.',
    cluster,
    struct({ in: choice(['mgr', 'iod', 'client']), number: u53(), handle: optional(handle) }),
    waitPage,
  ),
  handleOf: op(
    192,
    'The handle of a path. No iod is asked for anything: it answers also while one hangs.',
    lookup,
    struct({ at: place }),
    struct({ handle }),
  ),
  events: op(
    193,
    'What has happened, as JSON: events with numbers above one, in order. Needs the cluster key.',
    cluster,
    struct({ after: u53() }),
    struct({
      events: list(text(limits.eventBytesMax), limits.eventsPerPage),
      /** Number of the latest event of all. */
      last: u53(),
      done: bool,
    }),
  ),
  openTimes: op(
    194,
    'Since when sessions above a number have a file open, in seconds since 1970 (0: not known), in pages. Needs the cluster key.',
    cluster,
    struct({ handle, after: session }),
    struct({
      opens: list(struct({ session, since: u53() }), limits.sessionsPerPage),
      done: bool,
    }),
  ),
  loads: op(
    195,
    'What clients and files have cost the mgr, or an iod, which it asks; since their connections and objects were opened. Needs the cluster key.',
    cluster,
    struct({ iod: optional(iodIndex) }),
    loadPage,
  ),
  drill: op(
    196,
    'For so long cuts the link of an iod to the mgr, or has what the mgr sends to it leave later, or what the iod answers its clients. Needs the cluster key.',
    cluster,
    struct({
      iod: iodIndex,
      fault: choice(['cut', 'slow', 'slow-answers']),
      delayMs: u32,
      seconds: u32,
    }),
    empty,
    ({ fault, delayMs, seconds }) => {
      const { drillSecondsMax, drillDelayMaxMs } = limits;
      if (seconds < 1 || seconds > drillSecondsMax)
        return `1 to ${drillSecondsMax} s, not ${seconds}`;
      if (fault !== 'cut' && (delayMs < 1 || delayMs > drillDelayMaxMs)) {
        return `1 to ${drillDelayMaxMs} ms later, not ${delayMs}`;
      }
      return undefined;
    },
  ),
};
