/**
 * Messages that the mgr serves. Codes 100-179 names, files and sessions (from clients),
 * 180-199 cluster (from clients), 200-219 from iods. A code is never used twice.
 */
import { limits } from '../limits.ts';
import {
  bool,
  bytes,
  empty,
  list,
  name,
  optional,
  struct,
  text,
  timestamp,
  u16,
  u32,
  u53,
  u8,
} from './codec.ts';
import { op, type Role, type Traits } from './op.ts';
import {
  attr,
  cap,
  dirent,
  handle,
  id32,
  inodeKind,
  iodIndex,
  layout,
  layoutWish,
  member,
  members,
  offset,
  openEntry,
  pathName,
  place,
  recoveryPage,
  recoveryState,
  session,
} from './values.ts';

const client: readonly Role[] = ['client'];
const iod: readonly Role[] = ['iod'];
const lookup: Traits = { from: client, class: 'read', resend: 'idempotent' };
const change: Traits = { from: client, class: 'write', resend: 'slot' };
const cluster: Traits = { from: client, class: 'link', resend: 'idempotent' };
const sync: Traits = { from: iod, class: 'control', resend: 'never' };

/** Bits of the `flags` of `open`. */
export const openFlags = {
  read: 1,
  write: 2,
  create: 4,
  exclusive: 8,
  truncate: 16,
  directory: 32,
  noFollow: 64,
} as const;

/** Bits of the `flags` of `rename`. */
export const renameFlags = { noReplace: 1, exchange: 2 } as const;

/** Set a time to the mgr's own now, or to a given one. */
const timeChange = optional(struct({ now: bool, at: timestamp }));
const mode = u16;
const xattrName = name(limits.xattrNameBytesMax);
const xattrValue = bytes(limits.xattrValueBytesMax);
const attrReply = struct({ attr });

const sessionReply = struct({
  session,
  /** The session's own key, hidden under the key of this connection (see auth.ts). */
  hiddenKey: id32,
  leaseMs: u32,
  hostId: text(128),
  members,
  uid: u32,
  gid: u32,
  groups: list(u32, limits.groupsMax),
});

export const sessionOps = {
  openSession: op(
    100,
    'Begins a session. The uid that it gets is decided here, by policy, not by the client.',
    { from: client, class: 'read', resend: 'never' },
    struct({ name: text(255), uid: u32, gid: u32, groups: list(u32, limits.groupsMax) }),
    sessionReply,
  ),
  attachSession: op(
    101,
    'Takes the session up again on a new connection (proved by the session key) and fences the old one.',
    { from: client, class: 'read', resend: 'never' },
    empty,
    sessionReply,
  ),
  closeSession: op(
    102,
    'Ends the session: all it has open is closed.',
    { from: client, class: 'read', resend: 'idempotent' },
    empty,
    empty,
  ),
};

export const nameOps = {
  lookup: op(
    110,
    'Resolves a path and tells the attributes.',
    lookup,
    struct({ at: place, follow: bool }),
    attrReply,
  ),
  getAttr: op(
    111,
    'Attributes of a handle; of a file open for writing the iods are asked for its size.',
    lookup,
    struct({ handle }),
    attrReply,
  ),
  setAttr: op(
    112,
    'Changes mode, owner, times or size; a size goes to all iods of the file before the reply.',
    change,
    struct({
      at: place,
      follow: bool,
      mode: optional(mode),
      uid: optional(u32),
      gid: optional(u32),
      accessed: timeChange,
      modified: timeChange,
      size: optional(offset),
    }),
    attrReply,
  ),
  access: op(
    113,
    'Asks whether the session may read (4), write (2), execute (1) a path.',
    lookup,
    struct({ at: place, mask: u8 }),
    empty,
  ),
  readLink: op(
    114,
    'Target of a symbolic link.',
    lookup,
    struct({ at: place }),
    struct({ target: pathName }),
  ),
  readDirectory: op(
    115,
    'A page of a directory after a cookie, with attributes if wished.',
    lookup,
    struct({ at: place, after: u53(), count: u16, attributes: bool }),
    struct({
      directory: attr,
      parent: handle,
      entries: list(dirent, limits.direntsPerPageMax),
      done: bool,
    }),
  ),
  makeNode: op(
    116,
    'Makes a directory, or a fifo, socket or device node.',
    change,
    struct({ at: place, kind: inodeKind, mode, device: u32 }),
    attrReply,
  ),
  symlink: op(
    117,
    'Makes a symbolic link.',
    change,
    struct({ at: place, target: pathName }),
    attrReply,
  ),
  link: op(
    118,
    'Gives a file one more name.',
    change,
    struct({ from: place, to: place, follow: bool }),
    attrReply,
  ),
  unlink: op(
    119,
    'Takes a name away; the file goes with the last name and the last open.',
    change,
    struct({ at: place }),
    empty,
  ),
  removeDirectory: op(120, 'Removes an empty directory.', change, struct({ at: place }), empty),
  rename: op(
    121,
    'Moves a name, over an existing one by the rules of POSIX.',
    change,
    struct({ from: place, to: place, flags: u8 }),
    empty,
  ),
  getXattr: op(
    122,
    'One extended attribute.',
    lookup,
    struct({ at: place, follow: bool, name: xattrName }),
    struct({ value: xattrValue }),
  ),
  listXattrs: op(
    123,
    'Names of all extended attributes.',
    lookup,
    struct({ at: place, follow: bool }),
    struct({ names: list(xattrName, limits.xattrsPerFileMax) }),
  ),
  setXattr: op(
    124,
    'Sets an extended attribute; mustExist and mustNotExist as XATTR_REPLACE and XATTR_CREATE.',
    change,
    struct({
      at: place,
      follow: bool,
      name: xattrName,
      value: xattrValue,
      mustExist: bool,
      mustNotExist: bool,
    }),
    empty,
  ),
  removeXattr: op(
    125,
    'Removes an extended attribute.',
    change,
    struct({ at: place, follow: bool, name: xattrName }),
    empty,
  ),
  statFs: op(
    126,
    'Space and files of the whole file system; `partial` when an iod could not be counted.',
    lookup,
    empty,
    struct({ totalBytes: u53(), freeBytes: u53(), files: u53(), partial: bool }),
  ),
  setDefaults: op(
    127,
    'Default layout and retention time for what is made in a directory from now on.',
    change,
    struct({ at: place, layout: layoutWish, retentionSeconds: optional(u32) }),
    attrReply,
  ),
};

export const fileOps = {
  open: op(
    130,
    'Opens, and creates if asked: one round trip. The cap in the reply opens the file at its iods.',
    change,
    struct({ at: place, flags: u16, mode, layout: layoutWish }),
    struct({ attr, cap, layout, created: bool }),
  ),
  close: op(
    131,
    'Gives one open back, with the size and time that the session wrote up to.',
    change,
    struct({ handle, rights: u8, size: optional(offset), modified: optional(timestamp) }),
    empty,
  ),
  extend: op(
    132,
    'Makes size (at least this) and time of written bytes durable: the mgr part of fsync.',
    change,
    struct({ handle, size: offset, modified: timestamp }),
    attrReply,
  ),
  reserve: op(
    133,
    'Takes the next `length` bytes at the end of a file for an append; no two appends get the same.',
    change,
    struct({ handle, length: offset }),
    struct({ offset }),
  ),
};

/** A row of `weft fsck`: what the mgr knows of one file's bytes. */
const fileRecord = struct({ handle, layout, size: offset, links: u32, opens: u32 });

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
      opens: u53(),
      reaping: u53(),
      /** Last number of the stream of opens. */
      openSequence: u53(),
      residentBytes: u53(),
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
};

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
      totalBytes: u53(),
      freeBytes: u53(),
    }),
    struct({ index: iodIndex, cluster: text(64), cut: u53(), opens: u53(), running: u16 }),
  ),
  snapshot: op(
    201,
    'A page of the open table of this iod, after (handle, session).',
    sync,
    struct({ afterHandle: handle, afterSession: session }),
    struct({ entries: list(openEntry, limits.opensPerSnapshotChunk), done: bool }),
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
    struct({ totalBytes: u53(), freeBytes: u53(), quarantined: u32 }),
    empty,
  ),
};

/** All that the mgr serves beside the link's own messages. */
export const mgrOps = { ...sessionOps, ...nameOps, ...fileOps, ...clusterOps, ...syncOps };
