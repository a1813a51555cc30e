/**
 * Messages that an iod serves. Codes 300-319 from clients, 340-359 from the mgr.
 * `handle` in a client's message is checked against the open table of this iod and session.
 */
import { limits } from '../limits.ts';
import {
  bool,
  bytes,
  choice,
  empty,
  list,
  optional,
  struct,
  text,
  timestamp,
  u32,
  u53,
} from './codec.ts';
import { client, op, type Role, type Traits } from './op.ts';
import {
  cap,
  handle,
  iodIndex,
  loadPage,
  offset,
  openEntry,
  recoveryPage,
  recoveryState,
  session,
  waitPage,
  waitQuestion,
} from './values.ts';

const mgr: readonly Role[] = ['mgr'];
const read: Traits = { from: client, class: 'read', resend: 'idempotent' };
const write: Traits = { from: client, class: 'write', resend: 'idempotent' };
const control: Traits = { from: mgr, class: 'control', resend: 'idempotent' };

/**
 * Changes when writes that were acknowledged but not synced may be lost (power cut, not a mere
 * restart). A client compares it at fsync with that of its writes (SCENARIOS 4, MISSION M19).
 */
const verifier = u32;

/** What an iod knows of one object: its own piece of a file. */
const objectState = struct({
  handle,
  /** Length of the object, not of the file; 0 when there is none. */
  length: offset,
  /** Bytes that it really takes. */
  allocated: offset,
  modified: optional(timestamp),
  exists: bool,
});

/** Where a client of the same host finds an object; identities are those of `DiskStat`. */
const sharedObject = struct({
  path: text(limits.pathBytesMax),
  identity: text(64),
  markPath: text(limits.pathBytesMax),
  markIdentity: text(64),
  /** What was read counts as long as the mark says this. */
  mark: u53(),
  /** And for so long after the question was sent. */
  forMs: u32,
});

function checkTransfer({ offset: from, length }: { offset: number; length: number }) {
  if (length > limits.payloadBytesMax) return `length ${length} is over ${limits.payloadBytesMax}`;
  return from + length > limits.fileBytesMax
    ? `offset ${from} + length ${length} is beyond 2^53 - 1`
    : undefined;
}

export const dataOps = {
  admit: op(
    300,
    'Shows a cap: from now on this session may use the file with its rights.',
    { ...read, class: 'read' },
    struct({ cap }),
    empty,
  ),
  read: op(
    301,
    'Bytes of the object from an offset; fewer than asked only at its end.',
    { ...read, payload: 'reply' },
    struct({ handle, offset, length: u32 }),
    struct({ length: u32 }),
    checkTransfer,
  ),
  write: op(
    302,
    'Stores the payload in the object at an offset. Durable after `sync`.',
    { ...write, payload: 'request' },
    struct({ handle, offset }),
    struct({ verifier }),
  ),
  sync: op(
    303,
    'Makes all acknowledged writes of the object durable.',
    write,
    struct({ handle }),
    struct({ verifier }),
  ),
  iodStatus: op(
    304,
    'State and counters of this iod.',
    { from: ['client', 'mgr'], class: 'link', resend: 'idempotent' },
    empty,
    struct({
      index: iodIndex,
      name: text(255),
      state: text(32),
      incarnation: u53(),
      uptimeMs: u53(),
      openEntries: u53(),
      objects: u53(),
      descriptors: u32,
      quarantined: u32,
      totalBytes: u53(),
      freeBytes: u53(),
      residentBytes: u53(),
      refusedCaps: u53(),
      refusedPeers: u53(),
      protocolErrors: u53(),
      connections: u32,
      openSequence: u53(),
      /** Since its start: requests, what they took together, and payload. */
      answered: u53(),
      answeredInMicroseconds: u53(),
      readBytes: u53(),
      writtenBytes: u53(),
      /** `leftMs`: until it stops serving for want of the mgr. */
      recovery: optional(recoveryState),
    }),
  ),
  listObjects: op(
    305,
    'Handles, lengths and allocated bytes of all objects, in pages by handle: for fsck. Needs the cluster key.',
    { from: ['client', 'mgr'], class: 'read', resend: 'idempotent' },
    struct({ after: handle }),
    struct({
      objects: list(
        struct({ handle, length: offset, allocated: u53() }),
        limits.objectsPerListPage,
      ),
      done: bool,
    }),
  ),
  listQuarantine: op(
    306,
    'What was set aside, why and when. Needs the cluster key.',
    { from: ['client', 'mgr'], class: 'read', resend: 'idempotent' },
    struct({ after: text(255) }),
    struct({
      entries: list(
        struct({ id: text(255), handle, reason: text(512), since: timestamp, length: offset }),
        limits.quarantinePerListPage,
      ),
      done: bool,
    }),
  ),
  resolveQuarantine: op(
    307,
    'Puts a set-aside object back in its place, or discards it. Needs the cluster key.',
    { ...write, from: ['client'] },
    struct({ id: text(255), action: choice(['restore', 'discard']) }),
    empty,
  ),
  setAside: op(
    308,
    'Moves an object to the quarantine: no file has it there. Needs the cluster key.',
    { ...write, from: ['client'] },
    struct({ handle, reason: text(512) }),
    empty,
  ),
  shareReads: op(
    309,
    'Where the file of the object is, for a client of this host.',
    read,
    /** What was read of it in this way since the last such question. */
    struct({ handle, reads: u53(), readBytes: u53() }),
    struct({ shared: optional(sharedObject) }),
  ),
  copy: op(
    311,
    'Copies bytes of another object to this one; what that does not have is zeros. Durable after `sync`.',
    write,
    struct({ from: cap, fromOffset: offset, handle, offset, length: u32 }),
    struct({ verifier }),
    ({ fromOffset, offset: to, length }) =>
      checkTransfer({ offset: fromOffset, length }) ?? checkTransfer({ offset: to, length }),
  ),
  seek: op(
    310,
    'Where the next bytes of the object begin that are no hole, or the next hole; what is all zeros counts as one. Looked for in a part of it: not found, the search goes on from the offset in the reply. Without one there is nothing to the end of the object.',
    read,
    struct({ handle, offset, wanted: choice(['data', 'hole']) }),
    struct({ found: bool, offset: optional(offset) }),
  ),
};

export const controlOps = {
  applyOpens: op(
    340,
    'Changes of the open table, in order; the reply says that they are in force.',
    control,
    struct({ after: u53(), upTo: u53(), entries: list(openEntry, limits.opensPerSnapshotChunk) }),
    struct({ upTo: u53() }),
  ),
  fence: op(
    341,
    'Drops all opens of a session and closes its connections; nothing of it is accepted any more.',
    control,
    struct({ session }),
    empty,
  ),
  stat: op(
    342,
    'Length and time of objects.',
    control,
    struct({ handles: list(handle, limits.reapBatchMax) }),
    struct({ objects: list(objectState, limits.reapBatchMax) }),
  ),
  truncate: op(
    343,
    'Cuts or extends the object to a length; durable when answered.',
    control,
    struct({ handle, length: offset }),
    empty,
  ),
  remove: op(
    344,
    'Removes the objects of files that have no name and no holder left; durable when answered.',
    control,
    struct({ handles: list(handle, limits.reapBatchMax) }),
    empty,
  ),
  ownRecoveries: op(
    345,
    'Reports of recoveries of this iod with numbers below one, the latest first.',
    control,
    struct({ before: u53() }),
    recoveryPage,
  ),
  ownWaits: op(
    346,
    'What waits in this iod.',
    { ...control, class: 'link' },
    waitQuestion,
    waitPage,
  ),
  ownLoads: op(
    347,
    'What clients and files have cost this iod.',
    { ...control, class: 'link' },
    empty,
    loadPage,
  ),
  answerLate: op(
    348,
    'For so long all answers to clients leave later.',
    { ...control, class: 'link' },
    struct({ delayMs: u32, seconds: u32 }),
    empty,
  ),
  place: op(
    349,
    'The object has exactly these bytes from now on; durable when answered.',
    control,
    struct({ handle, bytes: bytes(limits.smallFileBytesMax) }),
    empty,
  ),
};

/** All that an iod serves beside the link's own messages. */
export const iodOps = { ...dataOps, ...controlOps };
