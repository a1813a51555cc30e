/** A name space in memory for tests: operations by path, on behalf of whom one likes. */
import type { ExecutionContext } from 'ava';
import { isFsError, type Errno } from '../../shared/errno.ts';
import {
  byteString,
  type ByteString,
  type Handle,
  rootHandle,
  type SessionId,
  type Timestamp,
} from '../../shared/units.ts';
import type { fileOps, nameOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { Attr, LayoutWish, Place } from '../../shared/wire/values.ts';
import { ensureRoot } from '../../mgr/namespace/root.ts';
import type { Identity } from '../../shared/inherited.ts';
import type { NameContext, NameHandler } from '../../mgr/ops/name-context.ts';
import { nameHandlers } from '../../mgr/ops/name-handlers.ts';
import { type OpenedInode, openInode } from '../../mgr/ops/open-file.ts';
import { MetaView } from '../../mgr/store/batch.ts';
import type { MetaStore } from '../../mgr/store/meta-store.ts';
import type { DirentRow } from '../../mgr/store/rows.ts';
import { memoryDatabase, openSqliteStore } from '../../mgr/store/sqlite-store.ts';

export const root: Identity = { uid: 0, gid: 0, groups: [] };
export const alice: Identity = { uid: 1000, gid: 1000, groups: [100] };
export const bob: Identity = { uid: 1001, gid: 1001, groups: [] };
export const anyLayout: LayoutWish = { base: undefined, pcount: undefined, ssize: undefined };

type Ops = typeof nameOps;
type HandledOp = keyof typeof nameHandlers;

export class NameSpace {
  readonly database = memoryDatabase();
  store: MetaStore = openSqliteStore({ database: this.database });
  view = new MetaView(this.store);
  /** What the open table would say. */
  readonly held = new Set<Handle>();
  readonly writing = new Set<Handle>();
  who: Identity = root;
  iodTotal = 4;
  smallFileBytes = 0;
  #seconds = 1000;

  constructor(rootMode = 0o777) {
    ensureRoot(this.view, this.now, 0, 0, rootMode);
    this.commit();
  }

  get now(): Timestamp {
    return { seconds: this.#seconds, nanoseconds: 7 };
  }

  tick(): void {
    this.#seconds++;
  }

  commit(): void {
    this.view.commit(1);
  }

  /** As after a crash: what was not committed is gone. */
  reopen(): void {
    this.store = openSqliteStore({ database: this.database });
    this.view = new MetaView(this.store);
  }

  context(): NameContext {
    return {
      view: this.view,
      who: { ...this.who, session: 1 as SessionId },
      now: this.now,
      iodTotal: this.iodTotal,
      smallFileBytes: this.smallFileBytes,
      holders: {
        isHeld: (handle) => this.held.has(handle),
        isWriter: (_, handle) => this.writing.has(handle),
      },
    };
  }

  as<T>(who: Identity, run: () => T): T {
    const before = this.who;
    this.who = who;
    try {
      return run();
    } finally {
      this.who = before;
    }
  }

  /** Whole or not at all. */
  #perform<Q, R>(handler: NameHandler<Q, R>, request: Q): R {
    const context = this.context();
    const mark = context.view.mark();
    try {
      return handler(context, request);
    } catch (error) {
      context.view.undo(mark);
      throw error;
    }
  }

  call<K extends HandledOp>(op: K, request: RequestOf<Ops[K]>): ReplyOf<Ops[K]> {
    const handler = nameHandlers[op] as unknown as NameHandler<RequestOf<Ops[K]>, ReplyOf<Ops[K]>>;
    return this.#perform(handler, request);
  }

  open(path: string, flags: number, mode = 0o644, wish = anyLayout): OpenedInode {
    return this.openRequest({
      at: at(path),
      flags,
      mode,
      layout: wish,
      maker: undefined,
      handle: undefined,
      near: undefined,
    });
  }

  openRequest(request: RequestOf<typeof fileOps.open>): OpenedInode {
    return this.#perform(openInode, request);
  }

  file(path: string, mode = 0o644): Attr {
    return this.call('makeNode', {
      at: at(path),
      kind: 'file',
      mode,
      device: 0,
      maker: undefined,
      lend: false,
    }).attr;
  }

  directory(path: string, mode = 0o755): Attr {
    return this.call('makeNode', {
      at: at(path),
      kind: 'directory',
      mode,
      device: 0,
      maker: undefined,
      lend: false,
    }).attr;
  }

  symlink(path: string, target: string): Attr {
    return this.call('symlink', { at: at(path), target: byteString(target), maker: undefined })
      .attr;
  }

  link(from: string, to: string, follow = false): Attr {
    return this.call('link', { from: at(from), to: at(to), follow }).attr;
  }

  unlink(path: string): void {
    this.call('unlink', { at: at(path) });
  }

  removeDirectory(path: string): void {
    this.call('removeDirectory', { at: at(path) });
  }

  rename(from: string, to: string, flags = 0): void {
    this.call('rename', { from: at(from), to: at(to), flags });
  }

  stat(path: string, follow = true): Attr {
    return this.call('lookup', { at: at(path), follow }).attr;
  }

  change(path: string, change: Partial<RequestOf<Ops['setAttr']>>, follow = true): Attr {
    return this.call('setAttr', {
      at: at(path),
      follow,
      mode: undefined,
      uid: undefined,
      gid: undefined,
      accessed: undefined,
      modified: undefined,
      size: undefined,
      ...change,
    }).attr;
  }

  entries(directory: Handle): DirentRow[] {
    return [...this.view.dirents(directory, 0, 1_000_000)];
  }

  names(path: string): string[] {
    return this.entries(this.stat(path).handle)
      .map(({ name }) => name)
      .toSorted();
  }
}

export function at(path: string, directory: Handle = rootHandle): Place {
  return { directory, path: byteString(path) };
}

export function bytes(...codes: number[]): ByteString {
  return String.fromCharCode(...codes) as ByteString;
}

/** Asserts that `run` fails with this errno and leaves no change behind. */
export function fails(t: ExecutionContext, errno: Errno, run: () => unknown, why?: string): void {
  const error = t.throws(run, undefined, why);
  t.is(isFsError(error) ? error.code : String(error), errno, why);
}
