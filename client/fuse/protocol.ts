/**
 * The kernel's protocol of FUSE (linux/fuse.h, version 7), each operation once: its code, what a
 * request brings, what a reply holds. Decoding, dispatch and the types of the handlers derive from
 * this table. Pure.
 */
import type { ByteString } from '../../shared/units.ts';
import { type Field, gap, i32, i64, struct, u16, u32, u64, type ValueOf } from './layout.ts';

// ---------------------------------------------------------------- structures

export const requestHeader = struct({
  length: u32,
  opcode: u32,
  unique: u64,
  node: u64,
  uid: u32,
  gid: u32,
  pid: u32,
  /** Of what stands at the end of the request, in units of 8 bytes. */
  extensionWords: u16,
  padding: gap(2),
});
export type RequestHeader = ValueOf<typeof requestHeader>;

export const replyHeader = struct({ length: u32, error: i32, unique: u64 });

export const fileAttr = struct({
  ino: u64,
  size: u64,
  blocks: u64,
  accessed: i64,
  modified: i64,
  changed: i64,
  accessedNs: u32,
  modifiedNs: u32,
  changedNs: u32,
  mode: u32,
  links: u32,
  uid: u32,
  gid: u32,
  device: u32,
  blockSize: u32,
  flags: gap(4),
});
export type FileAttr = ValueOf<typeof fileAttr>;

/** For how long the kernel may believe it: seconds, and a fraction of one. */
const validity = u64;
const validityNs = u32;

export const entryReply = struct({
  node: u64,
  /** Handles are never used twice, so they need no generation. */
  generation: gap(8),
  nameValid: validity,
  attrValid: validity,
  nameValidNs: validityNs,
  attrValidNs: validityNs,
  attr: fileAttr,
});

export type EntryReply = ValueOf<typeof entryReply>;

/** Attributes alone with an offset of -1; of 0: all that is kept of its content too. */
export const revokedInode = struct({ node: u64, offset: i64, length: i64 });

const attrReply = struct({
  attrValid: validity,
  attrValidNs: validityNs,
  padding: gap(4),
  attr: fileAttr,
});

export const openReply = struct({ file: u64, flags: u32, padding: gap(4) });

/** Reads, listings and targets: as many bytes as there are. */
const bytesReply = 'bytes';
const emptyReply = struct({});

export const direntHead = struct({ ino: u64, next: u64, nameBytes: u32, type: u32 });

/** Messages of ours that answer no request. */
export const notifyCodes = { revokeInode: 2, newEpoch: 8 } as const;

export const forgetOne = struct({ node: u64, lookups: u64 });

const nothing = struct({});
const lockOwner = gap(8);

// ---------------------------------------------------------------- what follows the structure

/** The rest of a request behind its structure. */
export interface Tail<T> {
  read(from: Buffer): T;
  /** What was read are bytes of the request itself. */
  readonly isPart?: true;
}

const noTail: Tail<undefined> = { read: () => undefined };
const oneName: Tail<ByteString> = { read: (from) => nameAt(from, 0) };
const twoNames: Tail<readonly [ByteString, ByteString]> = {
  read(from) {
    const first = nameAt(from, 0);
    return [first, nameAt(from, first.length + 1)];
  },
};
const nameAndBytes: Tail<{ readonly name: ByteString; readonly bytes: Buffer }> = {
  isPart: true,
  read(from) {
    const name = nameAt(from, 0);
    return { name, bytes: from.subarray(name.length + 1) };
  },
};
const bytes: Tail<Buffer> = { isPart: true, read: (from) => from };

function nameAt(from: Buffer, at: number): ByteString {
  const end = from.indexOf(0, at);
  return from.toString('latin1', at, end === -1 ? from.length : end) as ByteString;
}

// ---------------------------------------------------------------- operations

export interface Operation<Q = unknown, T = unknown, R = unknown> {
  readonly code: number;
  readonly request: Field<Q>;
  readonly tail: Tail<T>;
  /** `bytes`: as many as the handler returns. */
  readonly reply: Field<R> | typeof bytesReply;
}

function op<Q, T, R>(
  code: number,
  request: Field<Q>,
  tail: Tail<T>,
  reply: Field<R>,
): Operation<Q, T, R>;
function op<Q, T>(
  code: number,
  request: Field<Q>,
  tail: Tail<T>,
  reply: typeof bytesReply,
): Operation<Q, T, readonly Uint8Array[]>;
function op(
  code: number,
  request: Field<unknown>,
  tail: Tail<unknown>,
  reply: Operation['reply'],
): Operation {
  return { code, request, tail, reply };
}

const fileOffsetSize = { file: u64, offset: u64, size: u32 } as const;
const opened = struct({ flags: u32, openFlags: u32 });
const released = struct({ file: u64, flags: u32, releaseFlags: u32, lockOwner });
const synced = struct({ file: u64, fsyncFlags: u32, padding: gap(4) });
const asked = struct({ size: u32, padding: gap(4) });
const listed = struct({ ...fileOffsetSize, readFlags: u32, lockOwner, flags: u32, last: gap(4) });

/** What the mount serves; all else is answered with ENOSYS, upon which the kernel does without. */
export const operations = {
  lookup: op(1, nothing, oneName, entryReply),
  getAttr: op(3, struct({ flags: u32, padding: gap(4), file: u64 }), noTail, attrReply),
  setAttr: op(
    4,
    struct({
      valid: u32,
      padding: gap(4),
      file: u64,
      size: u64,
      lockOwner,
      accessed: i64,
      modified: i64,
      changed: i64,
      accessedNs: u32,
      modifiedNs: u32,
      changedNs: u32,
      mode: u32,
      unused4: gap(4),
      uid: u32,
      gid: u32,
      unused5: gap(4),
    }),
    noTail,
    attrReply,
  ),
  readLink: op(5, nothing, noTail, bytesReply),
  symlink: op(6, nothing, twoNames, entryReply),
  makeNode: op(
    8,
    struct({ mode: u32, device: u32, umask: u32, padding: gap(4) }),
    oneName,
    entryReply,
  ),
  makeDirectory: op(9, struct({ mode: u32, umask: u32 }), oneName, entryReply),
  unlink: op(10, nothing, oneName, emptyReply),
  removeDirectory: op(11, nothing, oneName, emptyReply),
  rename: op(12, struct({ directory: u64 }), twoNames, emptyReply),
  link: op(13, struct({ node: u64 }), oneName, entryReply),
  open: op(14, opened, noTail, openReply),
  read: op(15, listed, noTail, bytesReply),
  write: op(
    16,
    struct({ ...fileOffsetSize, writeFlags: u32, lockOwner, flags: u32, padding: gap(4) }),
    bytes,
    struct({ size: u32, padding: gap(4) }),
  ),
  statFs: op(
    17,
    nothing,
    noTail,
    struct({
      blocks: u64,
      freeBlocks: u64,
      availableBlocks: u64,
      files: u64,
      freeFiles: u64,
      blockSize: u32,
      nameBytes: u32,
      fragmentSize: u32,
      spare: gap(28),
    }),
  ),
  release: op(18, released, noTail, emptyReply),
  fsync: op(20, synced, noTail, emptyReply),
  setXattr: op(21, struct({ size: u32, flags: u32 }), nameAndBytes, emptyReply),
  getXattr: op(22, asked, oneName, bytesReply),
  listXattrs: op(23, asked, noTail, bytesReply),
  removeXattr: op(24, nothing, oneName, emptyReply),
  flush: op(25, struct({ file: u64, unused: gap(8), lockOwner }), noTail, emptyReply),
  openDirectory: op(27, opened, noTail, openReply),
  readDirectory: op(28, listed, noTail, bytesReply),
  releaseDirectory: op(29, released, noTail, emptyReply),
  fsyncDirectory: op(30, synced, noTail, emptyReply),
  create: op(
    35,
    struct({ flags: u32, mode: u32, umask: u32, openFlags: u32 }),
    oneName,
    struct({ entry: entryReply, open: openReply }),
  ),
  allocate: op(
    43,
    struct({ file: u64, offset: u64, length: u64, mode: u32, padding: gap(4) }),
    noTail,
    emptyReply,
  ),
  readDirectoryPlus: op(44, listed, noTail, bytesReply),
  rename2: op(45, struct({ directory: u64, flags: u32, padding: gap(4) }), twoNames, emptyReply),
  seek: op(
    46,
    struct({ file: u64, offset: u64, whence: u32, padding: gap(4) }),
    noTail,
    struct({ offset: u64 }),
  ),
  copyRange: op(
    47,
    struct({
      file: u64,
      offset: u64,
      toNode: u64,
      toFile: u64,
      toOffset: u64,
      length: u64,
      flags: u64,
    }),
    noTail,
    struct({ size: u32, padding: gap(4) }),
  ),
} as const;
export type Operations = typeof operations;

const operationNames = new Map<number, keyof Operations>(
  Object.entries(operations).map(([name, { code }]) => [code, name as keyof Operations]),
);

/** @returns `undefined` for what the mount does not serve */
export function operationOf(code: number): keyof Operations | undefined {
  return operationNames.get(code);
}

/** What the session itself hears. Of these only `init` is answered. */
export const sessionOperations = {
  forget: op(2, struct({ lookups: u64 }), noTail, emptyReply),
  init: op(
    26,
    struct({ major: u32, minor: u32, readAhead: u32, flags: u32 }),
    // Older kernels send no more; newer ones go on with the high flags.
    bytes,
    struct({
      major: u32,
      minor: u32,
      readAhead: u32,
      flags: u32,
      backgroundMax: u16,
      congestedAt: u16,
      writeMax: u32,
      timeGranularityNs: u32,
      pagesMax: u16,
      mapAlignment: gap(2),
      flags2: u32,
      unused: gap(28),
    }),
  ),
  interrupt: op(36, struct({ unique: u64 }), noTail, emptyReply),
  destroy: op(38, nothing, noTail, emptyReply),
  batchForget: op(42, struct({ count: u32, padding: gap(4) }), bytes, emptyReply),
} as const;

// ---------------------------------------------------------------- bits

export const initFlags = {
  asyncRead: 1 << 0,
  /** The kernel leaves O_TRUNC to `open`. */
  atomicTruncate: 1 << 3,
  bigWrites: 1 << 5,
  /** Pages go when time or size has changed; before each read the kernel looks whether they have. */
  autoInvalidate: 1 << 12,
  /** Listings with attributes, for those who look at them. */
  listAttributes: 1 << 13,
  listAttributesAuto: 1 << 14,
  asyncDirectIo: 1 << 15,
  parallelDirectories: 1 << 18,
  pagesMax: 1 << 22,
  /** The target of a symbolic link never changes. */
  cacheSymlinks: 1 << 23,
  /** suid and sgid go by our hand when somebody writes; asked for in requests. */
  killPrivileges: 1 << 28,
  extended: 1 << 30,
} as const;

/** Of the second word. */
export const initFlags2 = {
  /** A request that makes something names the supplementary group that its directory has. */
  createGroup: 1 << 2,
  /** Shared mappings of files opened for direct I/O. */
  directMappings: 1 << 4,
} as const;

export const setAttrBits = {
  mode: 1 << 0,
  uid: 1 << 1,
  gid: 1 << 2,
  size: 1 << 3,
  accessed: 1 << 4,
  modified: 1 << 5,
  accessedNow: 1 << 7,
  modifiedNow: 1 << 8,
  killPrivileges: 1 << 11,
} as const;

const ofOpenFile = 1 << 0;

/** In `getAttr`: the kernel is about to read through an open file, or to seek its end. */
export function isForReader({ flags }: { readonly flags: number }): boolean {
  return (flags & ofOpenFile) !== 0;
}

/** The mode of `allocate`, as of fallocate(2). */
export const allocateBits = { keepSize: 1, punchHole: 2, zeroRange: 16 } as const;

/** As of lseek(2): the kernel asks for these two alone. */
export const whences = { data: 3, hole: 4 } as const;

/** In replies to `open`. */
export const openBits = {
  directIo: 1 << 0,
  /** What the kernel has kept of it before stays good. */
  keepCache: 1 << 1,
  /** Of a directory: the kernel keeps the listing, and answers the next one with it. */
  cacheDirectory: 1 << 3,
  noFlush: 1 << 5,
} as const;
/** In requests to open, beside the flags of open(2). */
export const openRequestBits = { killPrivileges: 1 << 0 } as const;
export const writeBits = { pageCache: 1 << 0, killPrivileges: 1 << 2 } as const;

/** An extension that lists supplementary groups. */
const groupsExtension = 32;

/** @param extensions from the end of a request @returns the groups that it names */
export function groupsOf(extensions: Buffer): number[] {
  for (let at = 0; at + 12 <= extensions.length;) {
    const size = extensions.readUInt32LE(at);
    if (extensions.readUInt32LE(at + 4) === groupsExtension) {
      const room = Math.floor((extensions.length - at - 12) / 4);
      const count = Math.min(extensions.readUInt32LE(at + 8), room);
      return Array.from({ length: count }, (_, i) => extensions.readUInt32LE(at + 12 + i * 4));
    }
    if (size < 8) break;
    at += size;
  }
  return [];
}
