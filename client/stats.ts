/** Attributes in the shape of `node:fs`: existing programs read them as they are. */
import { constants } from 'node:fs';
import type { Layout } from '../shared/stripe.ts';
import { type ByteString, displayText, type Timestamp } from '../shared/units.ts';
import type { Attr, BytesPlace, Dirent as DirentValue, InodeKind } from '../shared/wire/values.ts';

const typeBits: Readonly<Record<InodeKind, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
  character: constants.S_IFCHR,
  block: constants.S_IFBLK,
};

/** Type and permission bits. */
export function fullMode({ kind, mode }: Attr): number {
  return typeBits[kind] | mode;
}

export function blockSizeOf({ layout }: Attr): number {
  return layout?.ssize ?? 4096;
}

/** In units of 512 bytes; where nobody could be asked for holes, as if there were none. */
export function blocksOf({ size, holes = 0 }: Pick<Attr, 'size' | 'holes'>): number {
  return Math.ceil((size - holes) / 512);
}

/** Questions that both an entry and its attributes answer. */
export abstract class Kinded {
  abstract readonly kind: InodeKind;

  isFile(): boolean {
    return this.kind === 'file';
  }

  isDirectory(): boolean {
    return this.kind === 'directory';
  }

  isSymbolicLink(): boolean {
    return this.kind === 'symlink';
  }

  isFIFO(): boolean {
    return this.kind === 'fifo';
  }

  isSocket(): boolean {
    return this.kind === 'socket';
  }

  isCharacterDevice(): boolean {
    return this.kind === 'character';
  }

  isBlockDevice(): boolean {
    return this.kind === 'block';
  }
}

export class Stats extends Kinded {
  readonly kind: InodeKind;
  /** Not 0, by which programs know that a system has no devices to tell apart. */
  readonly dev = 0x77656674;
  readonly ino: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  /** In units of 512 bytes. In a listing, and where an iod could not be asked, as if there were no holes. */
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  /** Exact to the nanosecond, where milliseconds are not. */
  readonly accessed: Timestamp;
  readonly modified: Timestamp;
  readonly changed: Timestamp;
  readonly born: Timestamp;
  /** Files only: where the bytes are when they are at the iods. */
  readonly layout: Layout | undefined;
  /** Of a file: whether they are there. */
  readonly place: BytesPlace;
  /** False when an iod that may know of a larger size could not be asked. */
  readonly sizeExact: boolean;

  constructor(attr: Attr) {
    super();
    this.kind = attr.kind;
    this.ino = attr.handle;
    this.mode = fullMode(attr);
    this.nlink = attr.links;
    this.uid = attr.uid;
    this.gid = attr.gid;
    this.rdev = attr.device;
    this.size = attr.size;
    this.blksize = blockSizeOf(attr);
    this.blocks = blocksOf(attr);
    this.accessed = attr.accessed;
    this.modified = attr.modified;
    this.changed = attr.changed;
    this.born = attr.born;
    this.atimeMs = milliseconds(attr.accessed);
    this.mtimeMs = milliseconds(attr.modified);
    this.ctimeMs = milliseconds(attr.changed);
    this.birthtimeMs = milliseconds(attr.born);
    this.layout = attr.layout;
    this.place = attr.place;
    this.sizeExact = attr.sizeExact;
  }

  get atime(): Date {
    return date(this.atimeMs);
  }

  get mtime(): Date {
    return date(this.mtimeMs);
  }

  get ctime(): Date {
    return date(this.ctimeMs);
  }

  get birthtime(): Date {
    return date(this.birthtimeMs);
  }
}

/** A name in a directory. */
export class Dirent extends Kinded {
  /** As text; bytes that are no UTF-8 show as U+FFFD. */
  readonly name: string;
  /** As the bytes they are. */
  readonly nameBytes: ByteString;
  readonly kind: InodeKind;
  readonly ino: number;
  /** Present when the listing was asked for attributes. */
  readonly stats: Stats | undefined;

  constructor(entry: DirentValue) {
    super();
    this.name = displayText(entry.name);
    this.nameBytes = entry.name;
    this.kind = entry.kind;
    this.ino = entry.handle;
    this.stats = entry.attr && new Stats(entry.attr);
  }

  /** A path component for further calls: keeps every byte. */
  get pathComponent(): Buffer {
    return Buffer.from(this.nameBytes, 'latin1');
  }
}

function milliseconds({ seconds, nanoseconds }: Timestamp): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Rounded as in Node: the constructor would cut. */
export function date(ms: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- a value from a number; no clock is read
  return new Date(Math.round(ms));
}
