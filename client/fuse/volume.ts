/** What the operations of one mount share, and the forms in which the kernel takes attributes. */
import { constants } from 'node:fs';
import type { FsError } from '../../shared/errno.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr, InodeKind } from '../../shared/wire/values.ts';
import type { HandleAccess } from '../handle-access.ts';
import { Stats } from '../stats.ts';
import type { RequestControl } from './in-flight.ts';
import type { Makers } from './makers.ts';
import type { Incoming } from './message.ts';
import type { NodeTable } from './node-table.ts';
import type { OpenFiles } from './open-files.ts';
import type { FileAttr, Operation, Operations } from './protocol.ts';

export interface Volume {
  readonly access: HandleAccess;
  readonly makers: Makers;
  readonly nodes: NodeTable;
  readonly files: OpenFiles;
  /** A failure of which no program hears. */
  readonly unheard: (what: string, error: FsError) => void;
}

type RequestOf<O> = O extends Operation<infer Q, infer T> ? Incoming<Q, T> : never;
type ReplyOf<O> = O extends Operation<infer _Q, infer _T, infer R> ? R : never;

/** One for each operation: what it answers, or an FsError. */
export type Handlers = {
  readonly [K in keyof Operations]: (
    volume: Volume,
    request: RequestOf<Operations[K]>,
    control: RequestControl,
  ) => Promise<ReplyOf<Operations[K]>>;
};

/** The file that a request is about. */
export function handleOf({ header }: Incoming<unknown, unknown>): Handle {
  return header.node as Handle;
}

export function fileAttrOf(attr: Attr): FileAttr {
  const { ino, mode, size, blocks, blksize } = new Stats(attr);
  return {
    ino,
    mode,
    size,
    blocks,
    blockSize: blksize,
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

/** The kernel refers to it from now on. */
export function entryOf({ nodes }: Volume, attr: Attr) {
  return { node: attr.handle, attr: fileAttrOf(nodes.refer(attr)) };
}

export function attrReplyOf({ nodes }: Volume, attr: Attr) {
  return { attr: fileAttrOf(nodes.seen(attr)) };
}

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
