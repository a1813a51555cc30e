/** What `cp` needs of a file system, be it the disk of this host or weftfs. Paths are bytes. */
import type { Timestamp } from '../../../shared/units.ts';
import type { InodeKind, LayoutWish } from '../../../shared/wire/values.ts';
import type { File } from '../../file.ts';

/** What a copy keeps of a file, and what tells one file from another. */
export interface Node {
  /** The same for two paths when they lead to one file; unique within a tree. */
  readonly id: string;
  readonly kind: InodeKind;
  /** Permission bits with suid, sgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly accessed: Timestamp;
  readonly modified: Timestamp;
}

export interface Source {
  /** @returns bytes read: fewer than there is room for only at the end */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
  /** Of weftfs, at the iods. */
  readonly file?: File;
}

export interface Target {
  write(from: Uint8Array, position: number): Promise<void>;
  /** @param sync all of it is durable when this returns */
  close(sync: boolean): Promise<void>;
  /** Of weftfs, at the iods. */
  readonly file?: File;
}

export interface TargetWish {
  readonly mode: number;
  readonly layout: Partial<LayoutWish> | undefined;
  /** How long it is likely to be. */
  readonly sizeHint: number;
  /** What is copied to it, if that is of weftfs. */
  readonly near?: File | undefined;
}

/** What a copy takes over; `undefined` leaves it as it is. */
export interface Kept {
  readonly mode: number | undefined;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly accessed: Timestamp;
  readonly modified: Timestamp;
}

export interface Child {
  readonly name: Uint8Array;
  /** `undefined`: ask for it. */
  readonly node: Node | undefined;
}

/** Errors are those of the file system, with code and path. */
export interface Tree {
  readonly kind: 'local' | 'weft';
  /** The path for people. */
  show(path: Buffer): string;
  stat(path: Buffer): Promise<Node>;
  lstat(path: Buffer): Promise<Node>;
  list(path: Buffer): AsyncIterable<Child>;
  /** @param sizeHint how long it is likely to be */
  open(path: Buffer, sizeHint: number): Promise<Source>;
  /** Makes or empties a file, by its `close` at the latest. */
  create(path: Buffer, wish: TargetWish): Promise<Target>;
  makeDirectory(path: Buffer, mode: number): Promise<void>;
  readLink(path: Buffer): Promise<Buffer>;
  makeLink(target: Buffer, path: Buffer): Promise<void>;
  unlink(path: Buffer): Promise<void>;
  /** Whose what is made here is. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Never follows symbolic links. */
  keep(path: Buffer, attributes: Kept): Promise<void>;
}

const slash = 0x2f;

/** A path below another one. */
export function below(directory: Buffer, name: Uint8Array): Buffer {
  const separator = directory.at(-1) === slash ? '' : '/';
  return Buffer.concat([directory, Buffer.from(separator), name]);
}

/** The last component, without slashes behind it; empty for a root. */
export function lastName(path: Buffer): Buffer {
  let end = path.length;
  while (end > 0 && path[end - 1] === slash) end--;
  const from = path.subarray(0, end).lastIndexOf(slash) + 1;
  return path.subarray(from, end);
}

/** The directory that the last component is in; `.` for a single name. */
export function parentPath(path: Buffer): Buffer {
  const name = lastName(path);
  let end = path.length;
  while (end > 0 && path[end - 1] === slash) end--;
  const parent = path.subarray(0, end - name.length);
  return parent.length === 0 ? Buffer.from('.') : parent;
}

export function endsInSlash(path: Buffer): boolean {
  return path.at(-1) === slash;
}
