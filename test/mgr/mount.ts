/** A client that caches, as a mount does, and to which new files and directories are lent. */
import { fileOps, nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import { type ByteString, byteString, type Handle } from '../../shared/units.ts';
import { type InodeKind, rights } from '../../shared/wire/values.ts';
import { anyLayout, at, type ClientOptions, type MgrClient, type MgrWorld } from './mgr-world.ts';

const { read, write, create, exclusive, lend } = openFlags;

export type Opened = ReplyOf<typeof fileOps.open>;
export type Settle = RequestOf<typeof fileOps.settle>;

export type LentDirectory = Pick<ReplyOf<typeof nameOps.makeNode>, 'attr' | 'lent'>;
export type SettleNames = RequestOf<typeof fileOps.settleNames>;

export const both = rights.read | rights.write;

/** What a mount does to each file that is lent to it. */
export const done = {
  bytes: Buffer.from('hello'),
  mode: 0o640,
  uid: 5,
  gid: 6,
  accessed: { seconds: 10, nanoseconds: 11 },
  modified: { seconds: 20, nanoseconds: 21 },
};

/** What a mount makes in a directory that is lent to it. */
export interface NewName {
  readonly handle: Handle;
  readonly name: string;
  readonly kind?: InodeKind;
  readonly content?: string;
  readonly attributes?: Partial<SettleNames['made'][number]>;
}

const nothing = (): void => undefined;

export function settlement({ attr }: Opened, changes: Partial<Settle> = {}): Settle {
  const { handle, changed } = attr;
  return { ...done, handle, made: changed, changed, rights: both, ...changes };
}

/** Of all that was made the times are those of the directory. */
export function namesSettlement(
  { attr }: LentDirectory,
  names: readonly NewName[],
  changes: Partial<SettleNames> = {},
): SettleNames {
  const { handle, mode, uid, gid, accessed, modified, changed } = attr;
  const times = { accessed, modified, changed };
  const made = names.map(({ name, kind = 'file', content = '', attributes, ...one }) => ({
    ...one,
    ...times,
    name: byteString(name),
    kind,
    mode: kind === 'directory' ? 0o755 : 0o644,
    uid,
    gid,
    born: changed,
    length: Buffer.byteLength(content),
    ...attributes,
  }));
  const contents = Buffer.from(names.map(({ content = '' }) => content).join(''));
  const removed: readonly ByteString[] = [];
  const attributes = { mode, uid, gid, ...times };
  return { ...attributes, directory: handle, back: true, removed, made, contents, ...changes };
}

export class Mount {
  readonly recalled: Handle[] = [];
  /** What it does before it acknowledges a recall. */
  onRecall: (handles: readonly Handle[]) => Promise<unknown> = () => Promise.resolve();
  readonly client: MgrClient;

  private constructor(world: MgrWorld, options: ClientOptions) {
    this.client = world.newClient({
      ...options,
      recalled: async (handles) => {
        this.recalled.push(...handles);
        await this.onRecall(handles);
      },
    });
  }

  static async on(
    world: MgrWorld,
    { caches = true, ...options }: ClientOptions & { readonly caches?: boolean } = {},
  ): Promise<Mount> {
    const mount = new Mount(world, options);
    await world.complete(mount.client.ready());
    if (caches) await world.complete(mount.cache());
    return mount;
  }

  /** @returns what lets it answer a recall, once it has done this */
  holdRecalls(
    first: (handles: readonly Handle[]) => Promise<unknown> = () => Promise.resolve(),
  ): () => void {
    let release = nothing;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.onRecall = (handles) => held.then(() => first(handles));
    return () => {
      release();
    };
  }

  cache(): Promise<object> {
    return this.client.call(sessionOps.cache, { attributes: true });
  }

  /** After a loss of the host of the mgr: all that it has open. */
  declare(opens: RequestOf<typeof sessionOps.declare>['opens']): Promise<object> {
    const { connection, process } = this.client;
    if (connection === undefined) throw new Error('no connection');
    return process.call(({ clock }) => {
      const options = { deadline: clock.now() + 20_000 };
      return connection.call(sessionOps.declare, { opens, opening: [], last: true }, options);
    });
  }

  make(path: string, flags: number = read | write | create | lend): Promise<Opened> {
    return this.client.open(path, flags);
  }

  settle(opened: Opened, changes?: Partial<Settle>): Promise<ReplyOf<typeof fileOps.settle>> {
    return this.client.call(fileOps.settle, settlement(opened, changes));
  }

  /** A new directory, which it asks to have lent. */
  makeDirectory(path: string): Promise<ReplyOf<typeof nameOps.makeNode>> {
    return this.client.call(nameOps.makeNode, {
      at: at(path),
      kind: 'directory',
      mode: 0o755,
      device: 0,
      maker: undefined,
      lend: true,
    });
  }

  /** A directory that it makes changes in. */
  borrow(handle: Handle): Promise<ReplyOf<typeof fileOps.borrow>> {
    return this.client.call(fileOps.borrow, { handle });
  }

  /** Some of those that it takes. */
  async takeHandles(): Promise<readonly [Handle, Handle, Handle, Handle]> {
    const { first } = await this.client.call(nameOps.takeHandles, {});
    const one = (i: number): Handle => (first + i) as Handle;
    return [one(0), one(1), one(2), one(3)];
  }

  /** A new file, which stays open, in a directory that is lent to it. */
  makeIn(
    { attr }: Pick<LentDirectory, 'attr'>,
    name: string,
    handle: Handle,
    flags = read | write | create | exclusive | lend,
  ) {
    const made = {
      flags,
      mode: 0o644,
      layout: anyLayout,
      maker: undefined,
      handle,
      near: undefined,
    };
    const place = { directory: attr.handle, path: byteString(name) };
    return this.client.call(fileOps.open, { ...made, at: place });
  }

  settleNames(
    directory: LentDirectory,
    names: readonly NewName[],
    changes?: Partial<SettleNames>,
  ): Promise<ReplyOf<typeof fileOps.settleNames>> {
    return this.client.call(fileOps.settleNames, namesSettlement(directory, names, changes));
  }
}

/** A call, and whether it has been answered. */
export class Asked<T> {
  isOver = false;
  readonly answer: Promise<T>;

  constructor(answer: Promise<T>) {
    this.answer = answer.finally(() => {
      this.isOver = true;
    });
    this.answer.catch(() => undefined);
  }
}
