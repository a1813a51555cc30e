/** A whole mgr in the simulated world, with clients on hosts of their own; its iods are fake. */
import { type Key, hide } from '../../shared/auth.ts';
import { FsError } from '../../shared/errno.ts';
import { parseIodtab } from '../../shared/iodtab.ts';
import { Call, type CallOptions, type CallOwner } from '../../shared/rpc/call.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import { type Credential, serveLink } from '../../shared/rpc/handshake.ts';
import { Link } from '../../shared/rpc/link.ts';
import { Service } from '../../shared/rpc/service.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { byteString, type Handle, rootHandle, type SessionId } from '../../shared/units.ts';
import { clientOps } from '../../shared/wire/client-ops.ts';
import { fileOps, nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { Op, ReplyOf } from '../../shared/wire/op.ts';
import type { Place } from '../../shared/wire/values.ts';
import { makeMgr, type Mgr, type MgrConfig } from '../../mgr/mgr.ts';
import type { CommitWait, MetaStore } from '../../mgr/store/meta-store.ts';
import type { Mutation } from '../../mgr/store/rows.ts';
import {
  memoryDatabase,
  openSqliteStore,
  type SqliteDatabase,
} from '../../mgr/store/sqlite-store.ts';
import type { SimProcess } from '../sim/runtime/process.ts';
import { World } from '../sim/runtime/world.ts';
import { FakeCluster, FakeIods } from './fake-cluster.ts';

export const mgrPort = 7300;
const iodtabText = 'a\nb\nc\nd\n';
export const anyLayout = { base: undefined, pcount: undefined, ssize: undefined };

export type SessionReply = ReplyOf<typeof sessionOps.openSession>;

export class MgrWorld {
  readonly world: World;
  readonly secret: Key = Buffer.alloc(32, 7);
  readonly iods = new FakeIods();
  readonly process: SimProcess;
  readonly fatal: FsError[] = [];
  readonly commits: (readonly Mutation[])[] = [];
  /** What the latest commit has waited for. */
  waited: CommitWait | undefined;
  /** Of the mgr that runs. */
  mgr: Mgr | undefined;
  store: MetaStore | undefined;
  /** What the next commit fails with. */
  commitFailure: FsError | undefined;
  /** Whether the disk of the store has any. */
  readonly room = { isLeft: true, runOut: () => false };
  /** For the next start. */
  iodtab = iodtabText;
  readonly #database: SqliteDatabase = memoryDatabase();
  #clients = 0;

  constructor(seed: number, config: Partial<MgrConfig> = {}) {
    this.world = new World({ seed });
    for (const name of ['a', 'b', 'c', 'd']) this.world.host(name);
    this.process = this.world.process('mgr', {
      host: this.world.host('m'),
      main: async (runtime) => {
        this.store = this.#openStore();
        this.mgr = makeMgr({
          runtime,
          store: this.store,
          config: this.config(config),
          onFatal: (error) => this.fatal.push(error),
          makeCluster: (needs) => new FakeCluster(needs, this.iods),
        });
        await this.mgr.start();
      },
    });
  }

  config(changes: Partial<MgrConfig> = {}): MgrConfig {
    return {
      cluster: 'test',
      host: '0.0.0.0',
      port: mgrPort,
      portBefore: 0,
      secret: this.secret,
      iodtab: parseIodtab(this.iodtab, 'iodtab'),
      policy: { rootSquash: false, users: new Map() },
      rootOwner: { uid: 0, gid: 0 },
      process: { residentBytes: () => 1 },
      ...changes,
    };
  }

  /** A client with a session of its own. */
  async client(options: ClientOptions = {}): Promise<MgrClient> {
    const client = this.newClient(options);
    await this.complete(client.ready());
    return client;
  }

  newClient(options: ClientOptions = {}): MgrClient {
    const name = `client${this.#clients++}`;
    const process = this.world.process(name, {
      host: this.world.host(name),
      main: () => undefined,
    });
    return new MgrClient(process, this.secret, options);
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.world.complete(promise);
  }

  /** Lets virtual time pass, once what the test has let go has gone on. */
  async pass(ms: number): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return this.world.run({ untilMs: this.world.nowMs + ms });
  }

  #openStore(): MetaStore {
    const store = openSqliteStore({ database: this.#database }, this.room);
    const commit = store.commit.bind(store);
    store.commit = (mutations, generation, waits) => {
      const failure = this.commitFailure;
      this.commitFailure = undefined;
      if (failure !== undefined) throw failure;
      commit(mutations, generation, waits);
      this.commits.push(mutations);
      this.waited = waits;
    };
    return store;
  }
}

export interface ClientOptions {
  readonly credential?: Credential;
  readonly uid?: number;
  /** False: it connects, but begins no session. */
  readonly begin?: boolean;
  /** The session that its credential proves. */
  readonly attach?: SessionId;
  /** What it does when rights are recalled; without it, recalls are no messages to it. */
  readonly recalled?: (handles: readonly Handle[]) => Promise<void>;
}

/** What a client library does with its link to the mgr, as simple as can be. */
export class MgrClient {
  readonly process: SimProcess;
  session: SessionReply | undefined;
  key: Uint8Array | undefined;
  connection: Connection | undefined;
  final: FsError | undefined;
  /** What it says of itself when it comes back. */
  owes = false;
  readonly #credential: Credential;
  readonly #options: ClientOptions;
  #link: Link | undefined;

  constructor(process: SimProcess, secret: Key, options: ClientOptions) {
    this.process = process;
    this.#options = options;
    this.#credential = options.credential ?? { kind: 'cluster', name: '', key: secret };
  }

  get id(): SessionId {
    if (!this.session) throw new Error('no session');
    return this.session.session;
  }

  /** Resolves when it has a session. */
  ready(): Promise<SessionReply> {
    return this.process.call(async (runtime) => {
      await this.#linkOn(runtime).call(nameOps.getAttr, { handle: rootHandle }, soon(runtime));
      if (!this.session) throw new Error('no session');
      return this.session;
    });
  }

  call<Q, R>(op: Op<Q, R>, request: Q, deadlineMs = 20_000): Promise<R> {
    return this.process.call((runtime) =>
      this.#linkOn(runtime).call(op, request, { deadline: runtime.clock.now() + deadlineMs }),
    );
  }

  close(handle: Handle, given: number, size?: number, mayHaveHoles = false) {
    const written = { size, modified: undefined, mayHaveHoles };
    return this.call(fileOps.close, { handle, rights: given, ...written });
  }

  extend(handle: Handle, size: number, mayHaveHoles = false) {
    const modified = { seconds: 1, nanoseconds: 0 };
    return this.call(fileOps.extend, { handle, size, modified, mayHaveHoles });
  }

  reserve(handle: Handle, length: number) {
    return this.call(fileOps.reserve, { handle, length });
  }

  /** @returns what there is; `undefined`: at the iods */
  async readSmall(handle: Handle, offset = 0, length = 65_536): Promise<string | undefined> {
    const { bytes } = await this.call(fileOps.readSmall, { handle, offset, length });
    return bytes && Buffer.from(bytes).toString('latin1');
  }

  /** @returns where it is; `undefined`: to be written to the iods */
  async writeSmall(handle: Handle, text: string, offset?: number): Promise<number | undefined> {
    const bytes = Buffer.from(text, 'latin1');
    return (await this.call(fileOps.writeSmall, { handle, offset, bytes })).offset;
  }

  moveOut(handle: Handle) {
    return this.call(fileOps.moveOut, { handle });
  }

  truncate(path: string, size: number) {
    return this.call(nameOps.setAttr, { ...noChange, at: at(path), size });
  }

  getAttr(handle: Handle) {
    return this.call(nameOps.getAttr, { handle });
  }

  /** Over the connection that stands now, in a slot of its choice, and never again by itself. */
  once<Q, R>(
    op: Op<Q, R>,
    request: Q,
    slot: number,
    sequence: number,
    deadlineMs?: number,
  ): Promise<R> {
    return this.process.call((runtime) => {
      const { connection } = this;
      if (!connection) throw new Error('no connection');
      return slotted(connection, op, request, { slot, sequence }, soon(runtime, deadlineMs));
    });
  }

  /** Requests that leave together and meet the mgr in one tick. */
  together<T>(make: (call: MgrClient['call']) => Promise<T>): Promise<T> {
    return this.process.call((runtime) =>
      make((op, request) => this.#linkOn(runtime).call(op, request, soon(runtime))),
    );
  }

  open(path: string, flags: number = openFlags.read | openFlags.write, mode = 0o644) {
    return this.call(fileOps.open, {
      at: at(path),
      flags,
      mode,
      layout: anyLayout,
      maker: undefined,
      handle: undefined,
      near: undefined,
    });
  }

  create(path: string) {
    return this.open(path, openFlags.read | openFlags.write | openFlags.create);
  }

  mkdir(path: string) {
    return this.call(nameOps.makeNode, {
      at: at(path),
      kind: 'directory',
      mode: 0o755,
      device: 0,
      maker: undefined,
      lend: false,
    });
  }

  stat(path: string) {
    return this.call(nameOps.lookup, { at: at(path), follow: true });
  }

  unlink(path: string) {
    return this.call(nameOps.unlink, { at: at(path) });
  }

  disconnect(): void {
    this.connection?.close(new FsError('ECONNRESET', { what: 'cut by the test' }));
  }

  #linkOn(runtime: Runtime): Link {
    this.#link ??= new Link({
      runtime,
      self: { role: 'client', node: this.process.name, incarnation: 1, cluster: () => '' },
      epochs: new EpochWatch(),
      expect: 'mgr',
      name: 'mgr',
      endpoints: () => [{ kind: 'tcp', host: 'm', port: mgrPort }],
      credential: () => this.#sessionCredential() ?? this.#credential,
      persistent: true,
      ...this.#service(),
      onUp: (connection) => this.#up(connection, runtime),
      onFinal: (error) => {
        this.final = error;
      },
    });
    return this.#link;
  }

  #service(): { readonly service?: Service } {
    const { recalled } = this.#options;
    if (recalled === undefined) return {};
    const recall = async ({ handles }: { readonly handles: readonly Handle[] }) => {
      await recalled(handles);
      return {};
    };
    return { service: serveLink(new Service().serve({ recall: clientOps.recall }, { recall })) };
  }

  #sessionCredential(): Credential | undefined {
    if (!this.session || !this.key) return undefined;
    return { kind: 'session', name: String(this.session.session), key: this.key };
  }

  async #up(connection: Connection, runtime: Runtime): Promise<void> {
    this.connection = connection;
    const { uid = 0, begin = true, attach } = this.#options;
    if (begin && (this.session ?? attach)) {
      this.session = await connection.call(
        sessionOps.attachSession,
        { owes: this.owes },
        soon(runtime),
      );
      return;
    }
    if (!begin) return;
    const wish = { name: 'test', uid, gid: uid, groups: [] };
    const session = await connection.call(sessionOps.openSession, wish, soon(runtime));
    const { key, transcript } = connection.binding ?? { key: Buffer.alloc(0), transcript: key0 };
    this.session = session;
    this.key = hide(key, transcript, session.hiddenKey);
  }
}

export const noChange = {
  follow: true,
  mode: undefined,
  uid: undefined,
  gid: undefined,
  accessed: undefined,
  modified: undefined,
  size: undefined,
};

const key0 = Buffer.alloc(0);

export function at(path: string): Place {
  return { directory: rootHandle, path: byteString(path) };
}

function soon(runtime: Runtime, deadlineMs = 20_000): { deadline: number } {
  return { deadline: runtime.clock.now() + deadlineMs };
}

/** A mutation as a client that counts its slots itself would send it. */
function slotted<Q, R>(
  connection: Connection,
  op: Op<Q, R>,
  request: Q,
  place: { readonly slot: number; readonly sequence: number },
  options: CallOptions,
): Promise<R> {
  const owner: CallOwner = {
    answered: (call, reply) => call.resolve(reply),
    failed: (call, error) => call.reject(error),
  };
  const call = new Call(owner, op, request, options);
  call.slot = place.slot;
  call.sequence = place.sequence;
  connection.submit(call);
  return call.promise as Promise<R>;
}
