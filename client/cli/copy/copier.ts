/**
 * Copies files and trees, many files at once. What fails is reported and the rest goes on; what a
 * copy cannot keep is counted.
 */
import { FsError, toFsError } from '../../../shared/errno.ts';
import { Fifo } from '../../../shared/fifo.ts';
import type { LayoutWish } from '../../../shared/wire/values.ts';
import { copyContent } from './copy-content.ts';
import { checkPair, type CopyPair, nodeAt, type Place } from './targets.ts';
import { below, type Node } from './tree.ts';

export interface CopyOptions {
  readonly recursive: boolean;
  /** Mode exactly, owner and times; `recursive` keeps them too. */
  readonly preserve: boolean;
  readonly sync: boolean;
  readonly layout: Partial<LayoutWish> | undefined;
}

export interface CopyEvents {
  /** Bytes that are stored. */
  bytes(count: number): void;
  /** A file, directory or link is done. */
  done(kind: 'files' | 'directories' | 'links'): void;
  /** Something could not be kept: what, as in `owners`. */
  notKept(what: NotKept): void;
  failed(pair: CopyPair, error: unknown): void;
}

export type NotKept = 'owners' | 'hard links' | 'fifos, sockets and devices';

/** Files on their way at once. */
const filesInFlightMax = 32;

export class Copier {
  readonly #options: CopyOptions;
  readonly #events: CopyEvents;
  readonly #slots = new Slots(filesInFlightMax);
  /** The cluster is gone: going on would fail file by file, each after its deadline. */
  #hopeless = false;

  constructor(options: CopyOptions, events: CopyEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Copies what a user named. Never rejects: failures are events. */
  async copy(pair: CopyPair): Promise<void> {
    await this.#attempt(pair, async () => {
      const { tree, path } = pair.from;
      const node = await tree[this.#options.recursive ? 'lstat' : 'stat'](path);
      if (node.kind === 'directory' && !this.#options.recursive) {
        throw new FsError('EISDIR', { syscall: 'cp', path: tree.show(path) });
      }
      await checkPair(pair, node);
      if (node.kind !== 'directory') await this.#one(pair, node, false);
      else await (await this.#directory(pair, node)).finished;
    });
  }

  /** @returns when all that is below has been begun */
  async #directory(pair: CopyPair, node: Node): Promise<{ readonly finished: Promise<unknown> }> {
    const { from, to } = pair;
    const fresh = (await nodeAt(to, 'stat')) === undefined;
    // Ours to write into, until it gets its own mode at the end.
    if (fresh) await to.tree.makeDirectory(to.path, node.mode | 0o700);
    const running = new Set<Promise<unknown>>();
    const begun = (work: Promise<unknown>): void => {
      const done: Promise<unknown> = work.then(() => running.delete(done));
      running.add(done);
    };
    for await (const child of this.#listed(from, running)) {
      if (this.#hopeless) break;
      const pairBelow: CopyPair = {
        from: { tree: from.tree, path: below(from.path, child.name) },
        to: { tree: to.tree, path: below(to.path, child.name) },
      };
      await this.#attempt(pairBelow, async () => {
        const nodeBelow = child.node ?? (await from.tree.lstat(pairBelow.from.path));
        if (nodeBelow.kind === 'directory') {
          begun((await this.#directory(pairBelow, nodeBelow)).finished);
          return;
        }
        await this.#slots.take();
        begun(
          this.#attempt(pairBelow, () => this.#one(pairBelow, nodeBelow, fresh)).then(() => {
            this.#slots.give();
          }),
        );
      });
    }
    // Only now: what is made in it changes its time, and it may forbid to make more.
    const finish = async (): Promise<void> => {
      await Promise.all(running);
      await this.#keep(to, node);
      this.#events.done('directories');
    };
    return { finished: this.#attempt(pair, finish) };
  }

  /** The entries of a directory. When no more can be had, what was begun is ended first. */
  async *#listed({ tree, path }: CopyPair['from'], running: ReadonlySet<Promise<unknown>>) {
    try {
      yield* tree.list(path);
    } catch (error: unknown) {
      await Promise.all(running);
      throw error;
    }
  }

  /** @param fresh we have just made the directory: nothing of that name is there */
  async #one(pair: CopyPair, node: Node, fresh: boolean): Promise<void> {
    if (node.kind === 'symlink') await this.#link(pair, node);
    else if (node.kind === 'file') {
      // Two names of one file can meet below two directories: emptying one would empty both.
      if (!fresh && pair.from.tree.kind === pair.to.tree.kind) await checkPair(pair, node);
      if (node.links > 1 && this.#options.recursive) this.#events.notKept('hard links');
      await this.#file(pair, node);
    } else if (this.#options.recursive) this.#events.notKept('fifos, sockets and devices');
    else {
      const path = pair.from.tree.show(pair.from.path);
      throw new FsError('EINVAL', { what: `a ${node.kind} cannot be copied`, path });
    }
  }

  async #file({ from, to }: CopyPair, node: Node): Promise<void> {
    const { sync, layout } = this.#options;
    const source = await from.tree.open(from.path, node.size);
    try {
      // Until it has its owner it is for us alone.
      const mode = this.#keeps ? node.mode & 0o700 : node.mode & 0o777;
      const wish = { mode, layout, sizeHint: node.size, near: source.file };
      const target = await to.tree.create(to.path, wish);
      try {
        await copyContent(source, target, node.size, (count) => this.#events.bytes(count));
      } catch (error: unknown) {
        await target.close(false).catch(() => undefined); // The first failure is the one to tell.
        throw error;
      }
      await target.close(sync);
    } finally {
      await source.close();
    }
    if (this.#keeps) await this.#keep(to, node);
    this.#events.done('files');
  }

  async #link({ from, to }: CopyPair, node: Node): Promise<void> {
    const target = await from.tree.readLink(from.path);
    try {
      await to.tree.makeLink(target, to.path);
    } catch (error: unknown) {
      if (toFsError(error).code !== 'EEXIST') throw error;
      await to.tree.unlink(to.path);
      await to.tree.makeLink(target, to.path);
    }
    await this.#keep(to, node);
    this.#events.done('links');
  }

  get #keeps(): boolean {
    return this.#options.recursive || this.#options.preserve;
  }

  async #keep(
    { tree, path }: Place,
    { mode, kind, uid, gid, accessed, modified }: Node,
  ): Promise<void> {
    const kept = { mode: kind === 'symlink' ? undefined : mode, accessed, modified };
    const ours = uid === tree.owner.uid && gid === tree.owner.gid;
    try {
      await tree.keep(path, { ...kept, owner: ours ? undefined : { uid, gid } });
    } catch (error: unknown) {
      if (ours || !['EPERM', 'EACCES', 'EINVAL'].includes(toFsError(error).code)) throw error;
      // As `cp -a` of an ordinary user: whose it was cannot be kept, and suid would mean another.
      this.#events.notKept('owners');
      const safe = kept.mode === undefined ? undefined : kept.mode & 0o1777;
      await tree.keep(path, { ...kept, mode: safe, owner: undefined });
    }
  }

  async #attempt(pair: CopyPair, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error: unknown) {
      const { weftCode } = toFsError(error);
      this.#hopeless ||=
        weftCode === 'WEFT_E_MGR_UNREACHABLE' || weftCode === 'WEFT_E_SESSION_LOST';
      this.#events.failed(pair, error);
    }
  }
}

/** Lets so many in at a time, in the order in which they came. */
class Slots {
  #free: number;
  readonly #waiting = new Fifo<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
