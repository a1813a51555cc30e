/**
 * Messages that the mgr serves: names and files (codes 110-179) here, those of sessions, of
 * the cluster and of iods beside it. A code is never used twice.
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
  timestamp,
  u16,
  u32,
  u53,
  u8,
} from './codec.ts';
import { change, lookup, op } from './op.ts';
import {
  attr,
  cap,
  dirent,
  handle,
  inodeKind,
  layout,
  layoutWish,
  offset,
  pathName,
  place,
} from './values.ts';
import { clusterOps } from './cluster-ops.ts';
import { lentOps } from './lent-ops.ts';
import { sessionOps } from './session-ops.ts';
import { syncOps } from './sync-ops.ts';
import { watchOps } from './watch-ops.ts';

export { sessionOps };

/** Bits of the `flags` of `open`. */
export const openFlags = {
  read: 1,
  write: 2,
  create: 4,
  exclusive: 8,
  truncate: 16,
  directory: 32,
  noFollow: 64,
  /** A file that is made may be lent to the caller: see `lent` of the reply. */
  lend: 128,
} as const;

/** Bits of the `flags` of `rename`. */
export const renameFlags = { noReplace: 1, exchange: 2 } as const;

/** Set a time to the mgr's own now, or to a given one. */
const timeChange = optional(struct({ now: bool, at: timestamp }));
const mode = u16;
const xattrName = name(limits.xattrNameBytesMax);
const xattrValue = bytes(limits.xattrValueBytesMax);
const attrReply = struct({ attr });

/** For whom root makes something: owner, group and rights are his. */
const maker = optional(struct({ uid: u32, gid: u32, groups: list(u32, limits.groupsMax) }));

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
    'Makes a directory, a fifo, socket or device node, or a file that nobody opens yet.',
    change,
    struct({
      at: place,
      kind: inodeKind,
      mode,
      device: u32,
      maker,
      /** A directory may be lent to the caller: see `lent` of the reply. */
      lend: bool,
    }),
    struct({
      attr,
      /** Nobody else looks into it before the caller has been asked for it, or gives it back. */
      lent: bool,
      /** Bytes that a new file in it may have at the mgr; 0: none may be made there. */
      roomAtMgr: u32,
    }),
  ),
  symlink: op(
    117,
    'Makes a symbolic link.',
    change,
    struct({ at: place, target: pathName, maker }),
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
  storedAttr: op(
    128,
    'Attributes of a handle without asking iods, for a session that writes the file and adds what it has written. The size is exact then when nobody else writes it.',
    lookup,
    struct({ handle }),
    attrReply,
  ),
  takeHandles: op(
    129,
    'Handles for what the caller makes in directories that are lent to it. Nobody else gets them.',
    lookup,
    empty,
    struct({ first: handle, count: u32 }),
  ),
  setDefaults: op(
    127,
    'Default layout and retention time for what is made in a directory from now on.',
    change,
    struct({ at: place, layout: layoutWish, retentionSeconds: optional(u32) }),
    attrReply,
  ),
};

/** The session has perhaps left some of the file out on its way to the end. */
const mayHaveHoles = bool;

export const fileOps = {
  open: op(
    130,
    'Opens, and creates if asked: one round trip. The cap in the reply opens the file at its iods.',
    change,
    struct({
      at: place,
      flags: u16,
      mode,
      layout: layoutWish,
      maker,
      /** Of the file that is made, in a directory that is lent to the caller. */
      handle: optional(handle),
      /** A file of which it may become a copy: if nobody says otherwise it begins on the same iod. */
      near: optional(handle),
    }),
    struct({
      attr,
      cap,
      layout,
      created: bool,
      /** Bytes that a file may have at the mgr while they are there. */
      roomAtMgr: u32,
      /** Nobody else reads or changes it before the caller has been asked for it, or settles. */
      lent: bool,
    }),
  ),
  close: op(
    131,
    'Gives one open back, with the size and time that the session wrote up to.',
    change,
    struct({
      handle,
      rights: u8,
      size: optional(offset),
      modified: optional(timestamp),
      mayHaveHoles,
    }),
    empty,
  ),
  extend: op(
    132,
    'Makes size (at least this) and time of written bytes durable: the mgr part of fsync.',
    change,
    struct({ handle, size: offset, modified: timestamp, mayHaveHoles }),
    attrReply,
  ),
  reserve: op(
    133,
    'Takes the next `length` bytes at the end of a file for an append; no two appends get the same.',
    change,
    struct({ handle, length: offset }),
    struct({ offset }),
  ),
  flush: op(
    134,
    'Makes durable all that was answered before, whoever asked for it: fsync of what was not written.',
    lookup,
    empty,
    empty,
  ),
  renew: op(
    135,
    'The cap of all that the session has open of a file, as it is now: for an iod that does not know the one before.',
    lookup,
    struct({ handle }),
    struct({ cap }),
  ),
  readSmall: op(
    136,
    "Bytes of a file in the mgr's store, fewer than asked only at its end; without any they are at the iods, for good.",
    lookup,
    struct({ handle, offset, length: u32 }),
    struct({ bytes: optional(bytes(limits.smallFileBytesMax)) }),
  ),
  writeSmall: op(
    137,
    "Stores bytes of a file in the mgr's store at an offset, or behind its last byte, and tells where. Without an offset in the reply nothing is stored: the bytes are at the iods, for good, or had to go there first.",
    change,
    struct({ handle, offset: optional(offset), bytes: bytes(limits.smallFileBytesMax) }),
    struct({ offset: optional(offset) }),
  ),
  moveOut: op(
    138,
    'Moves the bytes of a file to the iods, where they stay.',
    change,
    struct({ handle }),
    empty,
  ),
  readWhole: op(
    142,
    "All bytes of small files in the mgr's store that the caller has open, or could open. Of others he hears nothing, and is to ask in another way.",
    lookup,
    struct({ handles: list(handle, limits.smallFilesPerRead) }),
    struct({
      /** Of each in turn: how many of `contents` are its own. */
      lengths: list(optional(u32), limits.smallFilesPerRead),
      contents: bytes(limits.smallFilesReadBytesMax),
    }),
  ),
  readFile: op(
    143,
    "All bytes of a small file in the mgr's store, by its path: instead of open, read and close. Without any it is something else, and is to be opened.",
    lookup,
    struct({ at: place }),
    struct({ bytes: optional(bytes(limits.smallFileBytesMax)) }),
  ),
  writeFile: op(
    144,
    "Writes a file by its path as `open`, one `writeSmall` and `close` would, whole or not at all, and durable with the answer. What is at the iods, or would be too long for the mgr's store, is not touched: `stored` is false, and it is to be opened.",
    change,
    struct({
      at: place,
      /** As of `open`. */
      flags: u16,
      mode,
      layout: layoutWish,
      /** Behind the last byte of the file; else from its begin. */
      append: bool,
      bytes: bytes(limits.smallFileBytesMax),
    }),
    struct({ stored: bool }),
  ),
  ...lentOps,
};

/** All that the mgr serves beside the link's own messages. */
export const mgrOps = {
  ...sessionOps,
  ...nameOps,
  ...fileOps,
  ...clusterOps,
  ...syncOps,
  ...watchOps,
};
