/** A directory that the mgr has lent to us, and what was made in it that the mgr does not know yet. */
import type { FsError } from '../shared/errno.ts';
import { LruMap } from '../shared/lru-map.ts';
import type { ByteString, Handle } from '../shared/units.ts';
import type { Attr } from '../shared/wire/values.ts';
import type { File } from './file.ts';
import type { MgrTime } from './mgr-time.ts';

/** Made here, and not known to the mgr. */
export interface Unborn {
  directory: LentDirectory;
  name: ByteString;
  readonly madeAt: number;
  attr: Attr;
  content: Buffer;
  readonly file: File | undefined;
  /** Of its open: bits of `openFlags`. */
  readonly flags: number;
  /** Of which it may become a copy. */
  readonly near: Handle | undefined;
  isClosed: boolean;
  /** It is on its way. */
  isTold: boolean;
  /** The mgr knows it, or it is lost. */
  readonly over: Promise<void>;
  end: () => void;
}

/** One that is lent. */
export class LentDirectory {
  attr: Attr;
  readonly time: MgrTime;
  /** Bytes that a new file in it may have. */
  readonly room: number;
  readonly pending = new Map<ByteString, Unborn>();
  /** Names that were taken away, and what they led to. */
  removed = new Map<ByteString, Handle>();
  /** Of them the directories in which something has changed of which the mgr hears first: that they are empty. */
  readonly going = new Map<ByteString, LentDirectory>();
  /** The mgr had it before us. */
  isBorrowed = false;
  /** Its attributes are not what the mgr knows. */
  isChanged = false;
  /** It goes back: nothing is made in it any more. */
  isBack = false;
  usedAt: number;
  lost: FsError | undefined;
  /** What is being told, and what is to be told after that: of files that are open too. */
  running: Promise<void> | undefined;
  next: Promise<void> | undefined;
  all = false;

  constructor(attr: Attr, time: MgrTime, room: number, usedAt: number) {
    this.attr = attr;
    this.time = time;
    this.room = room;
    this.usedAt = usedAt;
  }
}

/** Those that are lent, and those that go back. */
export class LentDirectories {
  /** In the order of their last use. */
  readonly #lent = new LruMap<Handle, LentDirectory>();
  readonly #leaving = new Map<Handle, LentDirectory>();

  /** Those in which something may be made, the one that was used longest ago first. */
  get lent(): Pick<LruMap<Handle, LentDirectory>, 'get' | 'oldest' | 'size'> &
    Iterable<readonly [Handle, LentDirectory]> {
    return this.#lent;
  }

  get leaving(): ReadonlyMap<Handle, LentDirectory> {
    return this.#leaving;
  }

  get isEmpty(): boolean {
    return this.#lent.size + this.#leaving.size === 0;
  }

  find(handle: Handle): LentDirectory | undefined {
    return this.#lent.get(handle) ?? this.#leaving.get(handle);
  }

  /** It is lent, or used. */
  use(directory: LentDirectory): void {
    const { handle } = directory.attr;
    this.#lent.set(handle, directory);
  }

  /** Nothing is made in it any more. */
  leave(directory: LentDirectory): void {
    const { handle } = directory.attr;
    this.#lent.delete(handle);
    this.#leaving.set(handle, directory);
    directory.isBack = true;
  }

  isLeaving({ attr }: LentDirectory): boolean {
    return this.#leaving.has(attr.handle);
  }

  /** It is not lent any more. */
  gone(handle: Handle): void {
    this.#lent.delete(handle);
    this.#leaving.delete(handle);
  }
}

/** Of something that is not known yet. */
export function ending(): Pick<Unborn, 'over' | 'end'> {
  let end = nothing;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

function nothing(): void {
  // Nobody waits.
}
