/** A client that caches, as a mount does, and to which new files are lent. */
import { fileOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { Handle } from '../../shared/units.ts';
import { rights } from '../../shared/wire/values.ts';
import type { ClientOptions, MgrClient, MgrWorld } from './mgr-world.ts';

const { read, write, create, lend } = openFlags;

export type Opened = ReplyOf<typeof fileOps.open>;
export type Settle = RequestOf<typeof fileOps.settle>;

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

const nothing = (): void => undefined;

export function settlement({ attr }: Opened, changes: Partial<Settle> = {}): Settle {
  const { handle, changed } = attr;
  return { ...done, handle, made: changed, changed, rights: both, ...changes };
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
  holdRecalls(first: () => Promise<unknown> = () => Promise.resolve()): () => void {
    let release = nothing;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.onRecall = () => held.then(first);
    return () => {
      release();
    };
  }

  cache(): Promise<object> {
    return this.client.call(sessionOps.cache, {});
  }

  make(path: string, flags: number = read | write | create | lend): Promise<Opened> {
    return this.client.open(path, flags);
  }

  settle(opened: Opened, changes?: Partial<Settle>): Promise<ReplyOf<typeof fileOps.settle>> {
    return this.client.call(fileOps.settle, settlement(opened, changes));
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
