/** What an iod keeps: objects, each one iod's piece of a file, addressed by the file's handle. */
import type { Soon } from '../../shared/soon.ts';
import type { Handle, Timestamp } from '../../shared/units.ts';

/** A piece of a file: its own length, not that of the file. */
export interface ObjectStat {
  readonly lengthBytes: number;
  /** Bytes really taken on the disk. */
  readonly allocatedBytes: number;
  readonly modified: Timestamp;
}

/** The file of an object; `identity` as of `DiskStat`. */
export interface ObjectFile {
  readonly path: string;
  readonly identity: string;
}

/** A byte of an object. */
export interface ObjectPlace {
  readonly handle: Handle;
  readonly offset: number;
}

export interface ListedObject extends ObjectStat {
  readonly handle: Handle;
}

export interface ObjectPage {
  /** By handle. */
  readonly objects: readonly ListedObject[];
  /** Nothing comes after these. */
  readonly done: boolean;
}

/**
 * An object that was never written has no bytes. Errors are FsError with the errno of the disk.
 * Changes of the same bytes of an object happen in the order in which they were asked for, so that
 * one that a lost connection has left behind never undoes a later one (DESIGN 6).
 */
export interface ObjectStore {
  /** Fills `into` from `offset`, holes with zeros; @returns bytes, fewer only at the object's end */
  read(handle: Handle, offset: number, into: readonly Uint8Array[]): Soon<number>;
  /** Makes the object if need be. `from` must not change meanwhile. Durable after `sync`. */
  write(handle: Handle, offset: number, from: readonly Uint8Array[]): Soon<void>;
  /**
   * Fills `buffer` with bytes of an object, zeros where it has none, and writes them to another. What is
   * written to `to` before it was asked for comes before, and what is later behind.
   */
  copy(from: ObjectPlace, to: ObjectPlace, buffer: Uint8Array): Promise<void>;
  /** All writes that have ended, and the object's name, are durable when it returns. */
  sync(handle: Handle): Promise<void>;
  /** Cuts or extends the object; durable when it returns. */
  truncate(handle: Handle, lengthBytes: number): Promise<void>;
  /** It has exactly these bytes from now on, which must not change; durable when it returns. */
  place(handle: Handle, bytes: Uint8Array): Promise<void>;
  /** Removes objects, those that are there; durable when it returns. */
  remove(handles: readonly Handle[]): Promise<void>;
  /** Moves it to where it can be put back from; durable when it returns. @throws FsError ENOENT */
  setAside(handle: Handle, reason: string): Promise<void>;
  /** Where its file is, for who can open it himself; `undefined` when there is none. */
  fileOf(handle: Handle): Promise<ObjectFile | undefined>;
  /** A client has read so much of it by itself. */
  noteReads(handle: Handle, reads: number, readBytes: number): void;
  /** `undefined` when there is no such object. */
  stat(handle: Handle): Promise<ObjectStat | undefined>;
  /** A page of all objects after a handle. */
  list(after: Handle): Promise<ObjectPage>;
  /** Returns when every change that had begun has ended. */
  settled(): Promise<void>;
  /** Gives all descriptors back. Nothing may be asked for afterwards. */
  close(): Promise<void>;
}
