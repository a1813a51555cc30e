/**
 * A mgr and iods that do what they must in a few lines, and what a test tells them to, for the
 * client library to talk to. What they know survives their restarts.
 */
import { hide, isGenuineCap, sessionKey, signCap } from '../../shared/auth.ts';
import { BufferPool } from '../../shared/buffer-pool.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { connect, type ConnectOptions } from '../../client/connect.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { Acceptor } from '../../shared/rpc/acceptor.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import { type Hello, serveLink } from '../../shared/rpc/handshake.ts';
import { Bulk, type Context, type Result, Service } from '../../shared/rpc/service.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { type Layout, logicalEnd } from '../../shared/stripe.ts';
import type { Handle, IodIndex, SessionId } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { encode } from '../../shared/wire/codec.ts';
import { fileOps, mgrOps, nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { Op, OpTable } from '../../shared/wire/op.ts';
import type { Attr, Cap, Member, Place } from '../../shared/wire/values.ts';
import type { SimProcess } from '../sim/runtime/process.ts';
import { World } from '../sim/runtime/world.ts';

const secret = Buffer.alloc(32, 5);

function nothingIsLent(): never {
  throw new FsError('EPERM', { what: 'nothing is lent' });
}
const mgrPort = 7300;

interface FileRecord {
  readonly handle: Handle;
  readonly layout: Layout;
  size: number;
}

/** What arrived at whom, in order. */
export interface Heard {
  readonly who: string;
  readonly op: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly slot: number;
  readonly sequence: number;
}

/** Runs before each request is served: may wait, or throw what the caller shall get. */
export type Script = (heard: Heard, context: Context) => void | Promise<void>;

export interface ScriptedOptions {
  readonly seed?: number;
  readonly iods?: number;
  readonly layout?: Partial<Layout>;
}

export class Scripted {
  readonly world: World;
  readonly mgr: SimProcess;
  readonly iods: readonly ScriptedIod[];
  readonly client: SimProcess;
  readonly heard: Heard[] = [];
  readonly files = new Map<string, FileRecord>();
  readonly sessions = new Set<SessionId>();
  script: Script = () => undefined;
  readonly #layout: Layout;
  readonly #replies = new Map<string, { op: Op; sequence: number; reply: unknown }>();
  #runtime: Runtime | undefined;
  #mgrAcceptor: Acceptor | undefined;
  #lastNumber = 100;

  constructor({ seed = 1, iods = 3, layout }: ScriptedOptions = {}) {
    this.world = new World({ seed });
    this.#layout = { base: 0, pcount: iods, ssize: 4096, total: iods, ...layout };
    this.mgr = this.world.process('mgr', {
      host: this.world.host('m'),
      main: (runtime) => this.#mgrMain(runtime),
    });
    this.iods = Array.from({ length: iods }, (_, index) => new ScriptedIod(this, index));
    this.client = this.world.process('client', {
      host: this.world.host('c'),
      main: (runtime) => {
        this.#runtime = runtime;
      },
    });
  }

  get runtime(): Runtime {
    if (!this.#runtime) throw new Error('the client has not started');
    return this.#runtime;
  }

  iod(index: number): ScriptedIod {
    const iod = this.iods[index];
    if (!iod) throw new Error(`there is no iod ${index}`);
    return iod;
  }

  async connect(options: Partial<ConnectOptions> = {}): Promise<FileSystem> {
    await this.pass(10);
    const { runtime } = this;
    return this.run(() => connect(`ws://m:${mgrPort}`, { runtime, key: secret, ...options }));
  }

  /** Runs something in the client, and the world until it has settled. */
  async run<T>(run: () => T | Promise<T>): Promise<T> {
    return this.world.complete(this.client.call(run));
  }

  /** Begins something in the client; its failure may be looked at later, or never. */
  begin<T>(run: () => Promise<T>): Promise<T> {
    const begun = this.client.call(run);
    begun.catch(() => undefined);
    return begun;
  }

  async pass(ms: number): Promise<void> {
    await this.world.run({ untilMs: this.world.nowMs + ms });
  }

  /** How often a request came, to whomever. */
  count(op: string): number {
    return this.heard.filter((one) => one.op === op).length;
  }

  /** The mgr has forgotten the session: its lease had ended. */
  async loseSessions(): Promise<void> {
    this.sessions.clear();
    await this.world.complete(
      this.mgr.call(() => {
        for (let id = 0; id <= this.#lastNumber; id++) {
          this.#mgrAcceptor?.fence(id as SessionId, new FsError('ESTALE', { what: 'lease ended' }));
        }
      }),
    );
  }

  /** For the servers: notes the request, and lets the test have its say. */
  async before(who: string, op: string, request: unknown, context: Context): Promise<void> {
    const { slot, sequence } = context;
    const fields = request as Readonly<Record<string, unknown>>;
    const heard = { who, op, request: fields, slot, sequence };
    this.heard.push(heard);
    await this.script(heard, context);
  }

  acceptor(runtime: Runtime, role: 'mgr' | 'iod', node: string, service: Service): Acceptor {
    return new Acceptor({
      runtime,
      self: { role, node, incarnation: 1, cluster: () => 'c1' },
      epochs: new EpochWatch({ generation: 1, number: 1 }),
      buffers: new BufferPool(4 * limits.payloadBytesMax),
      service: serveLink(service),
      admit: (hello) => this.#admit(hello, role),
    });
  }

  #admit({ role, node, incarnation, key, keyName }: Hello, of: 'mgr' | 'iod') {
    const peer = { role, node, incarnation, trusted: true, session: undefined, user: undefined };
    if (key !== 'session') return { key: secret, peer };
    const session = Number(keyName) as SessionId;
    if (of === 'mgr' && !this.sessions.has(session)) {
      throw new FsError('ESTALE', { id: 'WEFT_E_SESSION_LOST' });
    }
    return { key: sessionKey(secret, session), peer: { ...peer, session } };
  }

  async #mgrMain(runtime: Runtime): Promise<void> {
    const acceptor = this.acceptor(runtime, 'mgr', 'mgr', this.#mgrService());
    this.#mgrAcceptor = acceptor;
    await acceptor.listen({ kind: 'tcp', host: '0.0.0.0', port: mgrPort });
  }

  /** Wraps handlers: heard, scripted, and mutations of a slot done once. */
  #handlers<T extends Record<string, (request: never, context: Context) => unknown>>(table: T): T {
    const entries = Object.entries(table).map(([op, handler]) => {
      const wrapped = async (request: never, context: Context): Promise<unknown> => {
        await this.before('mgr', op, request, context);
        const { slot, sequence } = context;
        const key = `${context.peer.session} ${slot}`;
        const stored = this.#replies.get(key);
        if (sequence > 0 && stored?.sequence === sequence) return stored.reply;
        if (sequence > 0 && stored && stored.sequence > sequence) throw new FsError('ECANCELED');
        const reply = handler(request, context);
        const made = (mgrOps as OpTable)[op];
        if (sequence > 0 && made) this.#replies.set(key, { op: made, sequence, reply });
        return reply;
      };
      return [op, wrapped] as const;
    });
    return Object.fromEntries(entries) as unknown as T;
  }

  #mgrService(): Service {
    const { openSession, attachSession, closeSession, abandon } = sessionOps;
    const { lookup, getAttr, storedAttr, setAttr, unlink, takeHandles } = nameOps;
    const session = (context: Context) => this.#sessionReply(context);
    return new Service()
      .serve(
        { openSession, attachSession, closeSession, abandon, members: clusterOps.members },
        this.#handlers({
          openSession: (_: unknown, context: Context) => {
            const id = this.#number() as SessionId;
            this.sessions.add(id);
            this.#mgrAcceptor?.take(context.connection, { ...context.peer, session: id });
            return session({ ...context, peer: context.connection.peer });
          },
          attachSession: (_: unknown, context: Context) => session(context),
          closeSession: (_: unknown, { peer }: Context) => {
            if (peer.session !== undefined) this.sessions.delete(peer.session);
            return {};
          },
          abandon: ({ sequence }: { sequence: number }, { peer, slot }: Context) => {
            const stored = this.#replies.get(`${peer.session} ${slot}`);
            if (stored?.sequence !== sequence) return { made: undefined };
            const { op, reply } = stored;
            return { made: { op: op.code, reply: encode(op.reply, reply) } };
          },
          members: () => ({ hostId: 'm', members: this.#members() }),
        }),
      )
      .serve(
        { lookup, getAttr, storedAttr, setAttr, unlink, takeHandles },
        this.#handlers({
          lookup: ({ at }: { at: Place }) => ({ attr: this.#attr(this.#at(at)) }),
          getAttr: ({ handle }: { handle: Handle }) => ({ attr: this.#attr(this.#of(handle)) }),
          storedAttr: ({ handle }: { handle: Handle }) => ({ attr: this.#attr(this.#of(handle)) }),
          setAttr: ({ at, size }: { at: Place; size: number | undefined }) => {
            const file = at.path === '' ? this.#of(at.directory) : this.#at(at);
            file.size = size ?? file.size;
            return { attr: this.#attr(file) };
          },
          unlink: ({ at }: { at: Place }) => {
            this.#at(at);
            this.files.delete(at.path);
            return {};
          },
          takeHandles: () => ({ first: this.#number() as Handle, count: 1 }),
        }),
      )
      .serve(
        fileOps,
        this.#handlers({
          open: (request: { at: Place; flags: number }, context: Context) =>
            this.#open(request, context),
          close: ({ handle, size }: { handle: Handle; size: number | undefined }) => {
            const file = this.#of(handle);
            file.size = Math.max(file.size, size ?? 0);
            return {};
          },
          extend: ({ handle, size }: { handle: Handle; size: number }) => {
            const file = this.#of(handle);
            file.size = Math.max(file.size, size);
            return { attr: this.#attr(file) };
          },
          reserve: ({ handle, length }: { handle: Handle; length: number }) => {
            const file = this.#of(handle);
            const offset = this.#attr(file).size;
            file.size = offset + length;
            return { offset };
          },
          flush: () => ({}),
          renew: ({ handle }: { handle: Handle }, { peer }: Context) => ({
            cap: this.#capOf(peer.session, handle, 3),
          }),
          readSmall: () => ({ bytes: undefined }),
          readWhole: ({ handles }: { handles: readonly Handle[] }) => ({
            lengths: handles.map(() => undefined),
            contents: Buffer.alloc(0),
          }),
          writeSmall: () => ({ offset: undefined }),
          moveOut: () => ({}),
          readFile: () => ({ bytes: undefined }),
          writeFile: () => ({ stored: false }),
          settle: () => ({ attr: undefined }),
          settleNames: nothingIsLent,
          borrow: nothingIsLent,
        }),
      );
  }

  #sessionReply({ peer, connection: { binding } }: Context) {
    if (peer.session === undefined || !binding) throw new FsError('EPERM');
    return {
      session: peer.session,
      hiddenKey: hide(binding.key, binding.transcript, sessionKey(secret, peer.session)),
      leaseMs: limits.sessionLeaseMs,
      hostId: 'm',
      members: this.#members(),
      uid: 0,
      gid: 0,
      groups: [],
      readOnly: false,
      declare: false,
    };
  }

  #members(): Member[] {
    return this.iods.map(({ index, host, port }) => ({
      index: index as IodIndex,
      name: `iod${index}`,
      host,
      port,
      unixPath: '',
      hostId: host,
      state: 'serving',
      incarnation: 1,
      freeBytes: 0,
      totalBytes: 0,
      quarantined: 0,
      silentMs: 0,
    }));
  }

  #open({ at, flags }: { at: Place; flags: number }, { peer }: Context) {
    let file = this.files.get(at.path);
    const created = file === undefined && (flags & openFlags.create) !== 0;
    if (created) {
      file = { handle: this.#number() as Handle, layout: this.#layout, size: 0 };
      this.files.set(at.path, file);
    }
    if (!file) throw new FsError('ENOENT');
    const cap = this.#capOf(peer.session, file.handle, flags & 3);
    return { attr: this.#attr(file), cap, layout: file.layout, created, roomAtMgr: 0, lent: false };
  }

  #capOf(session: SessionId = 0 as SessionId, handle: Handle, rights: number): Cap {
    return signCap(secret, { session, handle, rights, generation: 1, sequence: this.#number() });
  }

  #number(): number {
    return ++this.#lastNumber;
  }

  #at({ path }: Place): FileRecord {
    const file = this.files.get(path);
    if (!file) throw new FsError('ENOENT');
    return file;
  }

  #of(handle: Handle): FileRecord {
    const file = [...this.files.values()].find((one) => one.handle === handle);
    if (!file) throw new FsError('ESTALE');
    return file;
  }

  /** The size is what the mgr knows, or what the iods have. */
  #attr({ handle, layout, size }: FileRecord): Attr {
    const ends = Array.from({ length: layout.pcount }, (_, column) => {
      const iod = this.iod((layout.base + column) % layout.total);
      return logicalEnd(layout, column, iod.objects.get(handle)?.length ?? 0);
    });
    const at = { seconds: 1, nanoseconds: 2 };
    return {
      handle,
      kind: 'file',
      mode: 0o644,
      links: 1,
      ...zeros,
      size: Math.max(size, ...ends),
      accessed: at,
      modified: at,
      changed: at,
      born: at,
      layout,
      place: 'iods',
      sizeExact: true,
      right: false,
    };
  }
}

const zeros = { uid: 0, gid: 0, device: 0, holes: 0 };

export class ScriptedIod {
  readonly index: number;
  readonly host: string;
  readonly process: SimProcess;
  readonly objects = new Map<Handle, Buffer>();
  /** Opens that it knows: `session handle`. */
  readonly opens = new Set<string>();
  port = 7301;
  verifier = 1;
  readonly #cluster: Scripted;

  constructor(cluster: Scripted, index: number) {
    this.#cluster = cluster;
    this.index = index;
    this.host = `i${index}`;
    this.process = cluster.world.process(`iod${index}`, {
      host: cluster.world.host(this.host),
      main: async (runtime) => {
        const acceptor = cluster.acceptor(runtime, 'iod', `iod${index}`, this.#service());
        await acceptor.listen({ kind: 'tcp', host: '0.0.0.0', port: this.port });
      },
    });
  }

  #service(): Service {
    const { admit, read, write, sync } = dataOps;
    return new Service().serve(
      { admit, read, write, sync },
      {
        admit: async (request, context) => {
          await this.#before('admit', request, context);
          const { body } = request.cap;
          if (!isGenuineCap(secret, request.cap) || body.session !== context.peer.session) {
            throw new FsError('EACCES', { id: 'WEFT_E_CAP_REFUSED' });
          }
          this.opens.add(`${body.session} ${body.handle}`);
          return {};
        },
        read: async (request, context): Promise<Result<{ length: number }>> => {
          await this.#before('read', request, context);
          const object = this.objects.get(this.#open(request, context)) ?? Buffer.alloc(0);
          const bytes = object.subarray(request.offset, request.offset + request.length);
          return new Bulk({ length: bytes.length }, [Buffer.from(bytes)]);
        },
        write: async (request, context) => {
          await this.#before('write', request, context);
          const handle = this.#open(request, context);
          const before = this.objects.get(handle) ?? Buffer.alloc(0);
          const bytes = Buffer.concat(context.payload);
          const length = Math.max(before.length, request.offset + bytes.length);
          const after = Buffer.alloc(length);
          before.copy(after);
          bytes.copy(after, request.offset);
          this.objects.set(handle, after);
          return { verifier: this.verifier };
        },
        sync: async (request, context) => {
          await this.#before('sync', request, context);
          this.#open(request, context);
          return { verifier: this.verifier };
        },
      },
    );
  }

  #before(op: string, request: unknown, context: Context): Promise<void> {
    return this.#cluster.before(`iod${this.index}`, op, request, context);
  }

  #open({ handle }: { handle: Handle }, { peer }: Context): Handle {
    if (this.opens.has(`${peer.session} ${handle}`)) return handle;
    throw new FsError('ESTALE', { id: 'WEFT_E_CAP_STALE' });
  }
}
