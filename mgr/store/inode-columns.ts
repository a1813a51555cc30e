/** An inode as the columns of table `inodes`, both ways. The order is that of the columns. */
import {
  bytesPlaces,
  inodeKinds,
  type BytesPlace,
  type InodeKind,
} from '../../shared/wire/values.ts';
import type { ByteString, Handle, Timestamp } from '../../shared/units.ts';
import type { Layout } from '../../shared/stripe.ts';
import type { Inode } from './rows.ts';

export const inodeColumns = [
  'handle',
  'kind',
  'mode',
  'links',
  'uid',
  'gid',
  'device',
  'size',
  'accessed_s',
  'accessed_ns',
  'modified_s',
  'modified_ns',
  'changed_s',
  'changed_ns',
  'born_s',
  'born_ns',
  'base',
  'pcount',
  'ssize',
  'total',
  'target',
  'parent',
  'defaults',
  'place',
  'holes',
] as const;

/** What better-sqlite3 gives and takes for a row of `inodes`. */
export type InodeValues = [
  handle: number,
  kind: number,
  mode: number,
  links: number,
  uid: number,
  gid: number,
  device: number,
  size: number,
  accessedSeconds: number,
  accessedNanoseconds: number,
  modifiedSeconds: number,
  modifiedNanoseconds: number,
  changedSeconds: number,
  changedNanoseconds: number,
  bornSeconds: number,
  bornNanoseconds: number,
  base: number | null,
  pcount: number | null,
  ssize: number | null,
  total: number | null,
  target: Buffer | null,
  parent: number | null,
  defaults: string | null,
  place: number,
  mayHaveHoles: number,
];

const kindNumbers = new Map<InodeKind, number>(inodeKinds.map((kind, at) => [kind, at]));

export function kindNumber(kind: InodeKind): number {
  return kindNumbers.get(kind) as number;
}

/** @throws TypeError for a number that no version has written: the file is damaged */
export function kindOf(number: number): InodeKind {
  const kind = inodeKinds[number];
  if (kind === undefined) throw new TypeError(`the name store has an inode of kind ${number}`);
  return kind;
}

/** @throws TypeError as `kindOf` */
function placeOf(number: number): BytesPlace {
  const place = bytesPlaces[number];
  if (place === undefined) throw new TypeError(`the name store has a file in place ${number}`);
  return place;
}

export function nameBytes(name: ByteString): Buffer {
  return Buffer.from(name, 'latin1');
}

export function nameOf(bytes: Buffer): ByteString {
  return bytes.toString('latin1') as ByteString;
}

export function toValues(inode: Inode): InodeValues {
  const { accessed, modified, changed, born, layout, target, parent, defaults } = inode;
  return [
    inode.handle,
    kindNumber(inode.kind),
    inode.mode,
    inode.links,
    inode.uid,
    inode.gid,
    inode.device,
    inode.size,
    accessed.seconds,
    accessed.nanoseconds,
    modified.seconds,
    modified.nanoseconds,
    changed.seconds,
    changed.nanoseconds,
    born.seconds,
    born.nanoseconds,
    layout === undefined ? null : layout.base,
    layout === undefined ? null : layout.pcount,
    layout === undefined ? null : layout.ssize,
    layout === undefined ? null : layout.total,
    target === undefined ? null : nameBytes(target),
    parent === undefined ? null : parent,
    defaults === undefined ? null : JSON.stringify(defaults),
    bytesPlaces.indexOf(inode.place),
    inode.mayHaveHoles ? 1 : 0,
  ];
}

export function fromValues(row: InodeValues): Inode {
  const [handle, kind, mode, links, uid, gid, device, size] = row;
  const born = { seconds: row[14], nanoseconds: row[15] };
  const changed = timestamp(row[12], row[13], born);
  const modified = timestamp(row[10], row[11], changed);
  return {
    handle: handle as Handle,
    kind: kindOf(kind),
    mode,
    links,
    uid,
    gid,
    device,
    size,
    accessed: timestamp(row[8], row[9], modified),
    modified,
    changed,
    born,
    layout: layoutOf(row[16], row[17], row[18], row[19]),
    target: row[20] === null ? undefined : nameOf(row[20]),
    parent: row[21] === null ? undefined : (row[21] as Handle),
    defaults: row[22] === null ? undefined : defaultsOf(row[22]),
    place: placeOf(row[23]),
    mayHaveHoles: row[24] !== 0,
  };
}

/** `undefined` when there is none. */
export function layoutOf(
  base: number | null,
  pcount: number | null,
  ssize: number | null,
  total: number | null,
): Layout | undefined {
  if (base === null || pcount === null || ssize === null || total === null) return undefined;
  return { base, pcount, ssize, total };
}

/** Times of an inode are mostly equal: one object serves for all, and the cache stays small. */
function timestamp(seconds: number, nanoseconds: number, like: Timestamp): Timestamp {
  return like.seconds === seconds && like.nanoseconds === nanoseconds
    ? like
    : { seconds, nanoseconds };
}

function defaultsOf(json: string): Inode['defaults'] {
  const { layout, retentionSeconds } = JSON.parse(json) as {
    layout: { base?: number; pcount?: number; ssize?: number };
    retentionSeconds?: number;
  };
  return {
    layout: { base: layout.base, pcount: layout.pcount, ssize: layout.ssize },
    retentionSeconds,
  };
}
