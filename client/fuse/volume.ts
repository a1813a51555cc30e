/** What the operations of one mount share, and the forms in which the kernel takes attributes. */
import { constants } from 'node:fs';
import type { FsError } from '../../shared/errno.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr, InodeKind, Place } from '../../shared/wire/values.ts';
import type { HandleAccess } from '../handle-access.ts';
import type { Known } from '../name-cache.ts';
import { blockSizeOf, blocksOf, fullMode } from '../stats.ts';
import type { RequestControl } from './in-flight.ts';
import type { Incoming } from './message.ts';
import type { DirectoryStreams } from './directory-streams.ts';
import type { IdleReaders } from './idle-readers.ts';
import type { LikelyCopies } from './likely-copies.ts';
import type { KernelCache } from './kernel-cache.ts';
import type { NodeTable } from './node-table.ts';
import type { OpenFiles } from './open-files.ts';
import type { EntryReply, FileAttr, Operation, Operations } from './protocol.ts';
import type { SmallContents } from './small-contents.ts';
import type { SmallReads } from './small-reads.ts';
import type { StreamReads } from './stream-reads.ts';

export interface Volume {
  readonly access: HandleAccess;
  readonly nodes: NodeTable;
  readonly files: OpenFiles;
  readonly idleReaders: IdleReaders;
  readonly copies: LikelyCopies;
  readonly contents: SmallContents;
  readonly smallReads: SmallReads;
  readonly streamReads: StreamReads;
  readonly directories: DirectoryStreams;
  readonly kernel: KernelCache;
  /** A failure of which no program hears. */
  readonly unheard: (what: string, error: FsError) => void;
}

export type RequestOf<O> = O extends Operation<infer Q, infer T> ? Incoming<Q, T> : never;
export type ReplyOf<O> = O extends Operation<infer _Q, infer _T, infer R> ? R : never;

/** What is at hand, or what must be waited for. */
export type Answer<T> = T | Promise<T>;

/**
 * One for each operation: what it answers, or an FsError. For what is at hand nobody need be waited
 * for, and it is answered in the same call in which the request is read: a program that looks at ten
 * thousand files asks for nothing else.
 */
export type Handlers = {
  readonly [K in keyof Operations]: (
    volume: Volume,
    request: RequestOf<Operations[K]>,
    control: RequestControl,
  ) => Answer<ReplyOf<Operations[K]>>;
};

/** The file that a request is about. */
export function handleOf({ header }: Incoming<unknown, unknown>): Handle {
  return header.node as Handle;
}

export function fileAttrOf(attr: Attr): FileAttr {
  return {
    ino: attr.handle,
    mode: fullMode(attr),
    size: attr.size,
    blocks: blocksOf(attr),
    blockSize: blockSizeOf(attr),
    accessed: attr.accessed.seconds,
    modified: attr.modified.seconds,
    changed: attr.changed.seconds,
    accessedNs: attr.accessed.nanoseconds,
    modifiedNs: attr.modified.nanoseconds,
    changedNs: attr.changed.nanoseconds,
    links: attr.links,
    uid: attr.uid,
    gid: attr.gid,
    device: attr.device,
  };
}

/** The kernel refers to it from now on. @param at where it was found */
export function entryOf(volume: Volume, attr: Attr, at: Place): EntryReply {
  const { validMs, cache } = volume.access;
  const isKept = cache?.find(at.directory, at.path) === attr.handle;
  return entryFor(volume, attr, isKept ? volume.kernel.tellName(at.directory, validMs) : 0);
}

/** As `entryOf`. @param nameMs for how long the kernel may keep the name */
export function entryFor(volume: Volume, attr: Attr, nameMs: number): EntryReply {
  const attrMs = attrMsOf(volume, attr);
  return {
    node: attr.handle,
    nameValid: secondsOf(nameMs),
    nameValidNs: nanosecondsOf(nameMs),
    attrValid: secondsOf(attrMs),
    attrValidNs: nanosecondsOf(attrMs),
    attr: fileAttrOf(volume.nodes.refer(attr)),
  };
}

/** There is nothing of that name, and the kernel may keep that. @returns undefined: it may not */
export function noEntryAt({ access, kernel }: Volume, at: Place): EntryReply | undefined {
  const { validMs, cache } = access;
  if (cache?.find(at.directory, at.path) !== null) return undefined;
  const nameMs = kernel.tellName(at.directory, validMs);
  if (nameMs === 0) return undefined;
  return { ...noEntry, nameValid: secondsOf(nameMs), nameValidNs: nanosecondsOf(nameMs) };
}

/** @param isReader the kernel is about to read by them */
export function attrReplyOf(volume: Volume, attr: Attr, isReader = false) {
  const attrMs = attrMsOf(volume, attr);
  const told = fileAttrOf(volume.nodes.seen(attr));
  return {
    attrValid: secondsOf(attrMs),
    attrValidNs: nanosecondsOf(attrMs),
    attr: isReader ? volume.kernel.pages.forReader(attr.handle, told) : told,
  };
}

/**
 * What is cached of a file that nobody writes, as far as it may be used at this moment, and since when
 * nobody has: who is about to takes the right to it back first.
 */
export function unwritten(
  { access, files }: Pick<Volume, 'access' | 'files'>,
  handle: Handle,
): Known | undefined {
  // Of what is written here the mgr alone does not know all.
  return files.isWritten(handle) ? undefined : access.knownOf(handle);
}

/** Only what is cached at this moment: a right may have been recalled while the answer was made. */
function attrMsOf({ access, files, kernel }: Volume, attr: Attr): number {
  const { validMs, cache } = access;
  const { handle, kind } = attr;
  if (cache?.attr(handle) !== attr) return 0;
  return kernel.tellAttr(handle, validMs, isByName(kind) && !files.isOpen(handle));
}

/**
 * Who looks at one that is not open has come by its name. The mount does not hear of what is opened
 * of pipes, sockets and devices; and in directories programs are.
 */
export function isByName(kind: InodeKind): boolean {
  return kind === 'file' || kind === 'symlink';
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** What is left beside the seconds. */
function nanosecondsOf(ms: number): number {
  return Math.floor((ms - secondsOf(ms) * 1000) * 1e6);
}

const noAttr: FileAttr = {
  ino: 0,
  size: 0,
  blocks: 0,
  accessed: 0,
  modified: 0,
  changed: 0,
  accessedNs: 0,
  modifiedNs: 0,
  changedNs: 0,
  mode: 0,
  links: 0,
  uid: 0,
  gid: 0,
  device: 0,
  blockSize: 0,
};

/** Of an entry about which nothing is told beside its name. */
export const noEntry: EntryReply = {
  node: 0,
  nameValid: 0,
  nameValidNs: 0,
  attrValid: 0,
  attrValidNs: 0,
  attr: noAttr,
};

const kinds: readonly (readonly [number, InodeKind])[] = [
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFBLK, 'block'],
];

/** Of the type bits of a mode; without any it is a file, as in mknod(2). */
export function kindOf(mode: number): InodeKind {
  const type = mode & constants.S_IFMT;
  return kinds.find(([bits]) => bits === type)?.[1] ?? 'file';
}

/** The type of an entry of a directory, as readdir(3) tells it. */
export function direntType(kind: InodeKind): number {
  const bits = kinds.find(([, name]) => name === kind)?.[0] ?? 0;
  return bits >> 12;
}
