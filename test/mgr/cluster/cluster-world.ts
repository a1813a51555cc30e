/**
 * The mgr's half that drives the iods, with its real store, commit, open table and connections,
 * in the simulated world; the iods at the other end do what a test tells them.
 */
import { noSecret } from '../../../shared/auth.ts';
import { BufferPool } from '../../../shared/buffer-pool.ts';
import { Acceptor } from '../../../shared/rpc/acceptor.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import { serveLink } from '../../../shared/rpc/handshake.ts';
import { Service } from '../../../shared/rpc/service.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { iodOfColumn, type Layout, localLength } from '../../../shared/stripe.ts';
import type { Handle, IodIndex, SessionId } from '../../../shared/units.ts';
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import { syncOps } from '../../../shared/wire/sync-ops.ts';
import type { MemberState, OpenEntry } from '../../../shared/wire/values.ts';
import { Cluster } from '../../../mgr/cluster/cluster.ts';
import { Committer } from '../../../mgr/committer.ts';
import { OpenTable } from '../../../mgr/open-table.ts';
import { MetaView } from '../../../mgr/store/batch.ts';
import type { MetaStore } from '../../../mgr/store/meta-store.ts';
import type { Inode, MemberRow, Mutation, PendingRow } from '../../../mgr/store/rows.ts';
import { protocolKey } from '../../../mgr/store/setting-keys.ts';
import { memoryDatabase, openSqliteStore } from '../../../mgr/store/sqlite-store.ts';
import { World } from '../../sim/runtime/world.ts';
import type { SimProcess } from '../../sim/runtime/process.ts';
import { ScriptedIod } from './scripted-iod.ts';

export const mgrPort = 7300;

/** What one life of the mgr has. */
export interface MgrParts {
  readonly store: MetaStore;
  readonly view: MetaView;
  readonly committer: Committer;
  readonly openTable: OpenTable;
  readonly cluster: Cluster;
  readonly epochs: EpochWatch;
}

export function fileOn(handle: number, layout: Partial<Layout> = {}): Inode {
  const time = { seconds: 0, nanoseconds: 0 };
  return {
    handle: handle as Handle,
    kind: 'file',
    mode: 0o644,
    links: 1,
    uid: 0,
    gid: 0,
    device: 0,
    size: 0,
    accessed: time,
    modified: time,
    changed: time,
    born: time,
    layout: { base: 0, pcount: 2, ssize: 4096, total: 2, ...layout },
    place: 'iods',
    mayHaveHoles: false,
    target: undefined,
    parent: undefined,
    defaults: undefined,
  };
}

export class ClusterWorld {
  readonly world: World;
  readonly mgr: SimProcess;
  readonly iods: ScriptedIod[] = [];
  /** When set, the next commits fail with it. */
  commitError: Error | undefined;
  readonly #database = memoryDatabase();
  #generation = 0;
  #parts: MgrParts | undefined;

  constructor({ iods = 2, seed = 1 } = {}) {
    this.world = new World({ seed });
    const store = openSqliteStore({ database: this.#database });
    const rows = Array.from({ length: iods }, (_, at) => memberRow(at));
    store.commit(
      [
        { kind: 'put-setting', row: { key: protocolKey, value: '1' } },
        ...rows.map((row): Mutation => ({ kind: 'put-member', row })),
      ],
      0,
    );
    this.mgr = this.world.process('mgr', {
      host: this.world.host('m'),
      main: (runtime) => this.#runMgr(runtime),
      onEnd: () => {
        this.#parts = undefined;
      },
    });
    for (const { name, index } of rows) {
      this.iods.push(new ScriptedIod(this.world, name, `h${index}`));
    }
  }

  /** Of the life of the mgr that runs. */
  get parts(): MgrParts {
    if (this.#parts) return this.#parts;
    throw new Error('the mgr does not run');
  }

  /** True while the mgr listens. */
  get isUp(): boolean {
    return this.#parts !== undefined;
  }

  iod(at: number): ScriptedIod {
    const iod = this.iods[at];
    if (iod) return iod;
    throw new Error(`no iod ${at}`);
  }

  stateOf(at: number): MemberState | undefined {
    return this.#parts?.cluster.members()[at]?.state;
  }

  /** Runs inside the mgr, and the world until it is done. */
  inMgr<T>(run: (parts: MgrParts) => T | Promise<T>): Promise<T> {
    return this.world.complete(this.mgr.call(() => run(this.parts)));
  }

  until(condition: () => boolean): Promise<void> {
    return this.world.run({ until: condition });
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return this.world.run({ untilMs: this.world.nowMs + ms });
  }

  /** Until these iods, or all, serve. */
  serving(...iods: readonly number[]): Promise<void> {
    const wanted = iods.length > 0 ? iods : [...this.iods.keys()];
    return this.until(() => wanted.every((at) => this.stateOf(at) === 'serving'));
  }

  /** Kills an iod, until the mgr knows. */
  async kill(at: number): Promise<void> {
    this.iod(at).process.kill();
    await this.until(() => this.stateOf(at) !== 'serving');
  }

  async started(): Promise<this> {
    await this.serving();
    return this;
  }

  /** A mutation of the mgr, durable when it resolves. */
  commit(change: (parts: MgrParts) => void): Promise<void> {
    return this.inMgr((parts) => {
      change(parts);
      return parts.committer.durable();
    });
  }

  /** What an iod must know: the opens of the files that have bytes on it. */
  opensOf(iod: number): OpenEntry[] {
    const { openTable } = this.parts;
    const after = { handle: 0 as Handle, session: 0 as SessionId };
    const part = { iod, after, upTo: Number.MAX_SAFE_INTEGER as Handle };
    return [...openTable.page(part, Infinity).entries];
  }

  /** Puts the file and opens it. */
  open(inode: Inode, session: number, rights: number): Promise<void> {
    return this.commit(({ view, openTable }) => {
      view.putInode(inode);
      openTable.open(inode, session as SessionId, rights, 7);
    });
  }

  closeOpen(handle: number, session: number, rights: number): Promise<void> {
    return this.commit(({ openTable }) => {
      openTable.close(handle as Handle, session as SessionId, rights);
    });
  }

  /** The mgr's half of a truncate before the iods are asked. */
  async putTruncate(inode: Inode, size: number): Promise<void> {
    const { handle, layout } = inode;
    if (layout === undefined) return;
    await this.commit(({ view }) => {
      view.putInode({ ...inode, size });
      for (let column = 0; column < layout.pcount; column++) {
        const iod = iodOfColumn(layout, column);
        const length = localLength(layout, column, size);
        view.add({ kind: 'put-pending', row: { handle, iod, kind: 'truncate', length } });
      }
    });
  }

  /** Starts what the mgr shall do; the outcome is told when it is there. */
  begin(run: (parts: MgrParts) => Promise<unknown>): { outcome: unknown } {
    const begun: { outcome: unknown } = { outcome: undefined };
    this.mgr
      .call(() => run(this.parts))
      .then(
        () => (begun.outcome = 'done'),
        (error: unknown) => (begun.outcome = error),
      );
    return begun;
  }

  pending(iod: number): readonly PendingRow[] {
    return this.parts.store.pending(iod as IodIndex, 0 as Handle, 1000);
  }

  async #runMgr(runtime: Runtime): Promise<void> {
    const store = this.#failing(openSqliteStore({ database: this.#database }));
    const generation = ++this.#generation;
    const view = new MetaView(store);
    const openTable = new OpenTable(view);
    openTable.load(store.opens(), store.openCount());
    const epochs = new EpochWatch({ generation, number: 0 });
    const participant = {
      settle: (): void => {
        openTable.settle((entry, layout) => cluster.opened(entry, layout));
        cluster.committed();
      },
      discard: (): void => {
        openTable.discard();
      },
    };
    const committer = new Committer({
      runtime,
      view,
      generation,
      participants: [participant],
      onFenced: () => undefined,
    });
    const service = serveLink(new Service({ gate: committer }));
    const acceptor = new Acceptor({
      runtime,
      self: { role: 'mgr', node: 'mgr', incarnation: generation, cluster: () => 'c' },
      epochs,
      buffers: new BufferPool(0),
      service,
      admit: ({ role, node, incarnation }) => ({
        key: noSecret,
        peer: { role, node, incarnation, trusted: true, session: undefined, user: undefined },
      }),
      onClosed: (connection) => cluster.disconnected(connection),
    });
    const cluster = new Cluster({
      runtime,
      cluster: 'c',
      view,
      store,
      commits: committer,
      epochs,
      openTable,
    });
    const { members, pingIods, evictIod } = clusterOps;
    service.serve(syncOps, cluster.handlers);
    service.serve({ members, pingIods, evictIod }, cluster.handlers);
    await acceptor.listen({ kind: 'tcp', host: '0.0.0.0', port: mgrPort });
    this.#parts = { store, view, committer, openTable, cluster, epochs };
  }

  #failing(store: MetaStore): MetaStore {
    return new Proxy(store, {
      get: (target, name) => {
        const { commitError } = this;
        if (name === 'commit' && commitError) {
          return () => {
            throw commitError;
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

export function memberRow(at: number, changes: Partial<MemberRow> = {}): MemberRow {
  return {
    index: at as IodIndex,
    name: `iod${at}`,
    host: `h${at}`,
    port: 7301,
    boundPort: 0,
    unixPath: '',
    hostId: '',
    storeId: '',
    incarnation: 0,
    life: '',
    evicted: false,
    ...changes,
  };
}
