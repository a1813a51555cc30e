/** An iod without data: it speaks as one, keeps what it is told, and errs when a test wants it. */
import { EventEmitter } from 'node:events';
import { noSecret } from '../../../shared/auth.ts';
import { FsError } from '../../../shared/errno.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import { serveLink } from '../../../shared/rpc/handshake.ts';
import { Link } from '../../../shared/rpc/link.ts';
import { type Handlers, Service } from '../../../shared/rpc/service.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import type { Handle, SessionId } from '../../../shared/units.ts';
import { controlOps } from '../../../shared/wire/iod-ops.ts';
import { syncOps } from '../../../shared/wire/sync-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import type { OpenEntry, OpenPlace } from '../../../shared/wire/values.ts';
import type { SimProcess } from '../../sim/runtime/process.ts';
import type { World } from '../../sim/runtime/world.ts';

export type Step = 'before join' | 'joined' | 'page' | 'before confirm' | 'confirmed' | 'serving';
type ControlHandlers = Handlers<typeof controlOps>;

export class ScriptedIod {
  readonly name: string;
  readonly process: SimProcess;
  /** What it says at `join`, over what it would say. */
  joinChanges: Partial<RequestOf<typeof syncOps.join>> = {};
  readonly #delays = new Map<keyof ControlHandlers, Promise<void>>();
  readonly #holds = new Map<Step, Promise<void>>();
  readonly steps: Step[] = [];
  /** Errors for handlers, while they are here. */
  readonly failures = new Map<keyof ControlHandlers, FsError>();
  /** Handlers that do not answer while they are here. */
  readonly silent = new Set<keyof ControlHandlers>();
  /** What came, in order. */
  readonly heard: string[] = [];
  final: FsError | undefined;
  /** Open entries by handle and session, as far as they are in force. */
  table = new Map<string, OpenEntry>();
  upTo = 0;
  /** Lengths of the objects: its disk. */
  readonly lengths = new Map<number, number>();
  incarnation = 0;
  lives: readonly Buffer[] = [];
  connection: Connection | undefined;
  epochs = new EpochWatch();

  /** @param processName another one when the world has an iod of this name already */
  constructor(world: World, name: string, host: string, processName = name) {
    this.name = name;
    this.process = world.process(processName, {
      host: world.host(host),
      main: (runtime) => this.#run(runtime),
    });
  }

  rights(handle: number, session: number): number {
    return this.table.get(keyOf({ handle, session }))?.rights ?? 0;
  }

  /** Makes the sync wait at a step. @returns how to let it go on */
  hold(step: Step): () => void {
    return hold(this.#holds, step);
  }

  /** Makes a handler wait. @returns how to let it go on */
  delay(op: keyof ControlHandlers): () => void {
    return hold(this.#delays, op);
  }

  /** Opens in force, by handle and session. */
  opens(): OpenEntry[] {
    return [...this.table.values()]
      .filter(({ rights }) => rights !== 0)
      .toSorted((a, b) => a.handle - b.handle || a.session - b.session);
  }

  /** Loses its connection to the mgr. */
  disconnect(): void {
    this.connection?.close(new FsError('EPIPE', { what: 'cut by the test' }));
  }

  heardOf(op: string): string[] {
    return this.heard.filter((line) => line.startsWith(op));
  }

  #run(runtime: Runtime): void {
    const incarnation = ++this.incarnation;
    this.lives = [...this.lives, Buffer.from(runtime.random.bytes(32))];
    this.table = new Map();
    this.upTo = 0;
    this.epochs = new EpochWatch();
    const link = new Link({
      runtime,
      self: { role: 'iod', node: this.name, incarnation, cluster: () => '' },
      epochs: this.epochs,
      expect: 'mgr',
      name: 'mgr',
      endpoints: () => [{ kind: 'tcp', host: 'm', port: 7300 }],
      credential: () => ({ kind: 'cluster', name: '', key: noSecret }),
      service: serveLink(new Service()).serve(controlOps, this.#handlers()),
      persistent: true,
      onUp: (connection) => this.#sync(runtime, connection),
      onFinal: (error) => {
        this.final = error;
        link.close();
      },
    });
  }

  async #sync(runtime: Runtime, connection: Connection): Promise<void> {
    const options = { deadline: runtime.clock.now() + 60_000 };
    const aside = new Map<string, OpenEntry>();
    this.connection = connection;
    this.#aside = aside;
    this.#asideUpTo = 0;
    await this.#step('before join');
    const { cut } = await connection.call(
      syncOps.join,
      {
        name: this.name,
        host: '',
        hostId: runtime.net.hostId,
        storeId: Buffer.alloc(32, this.name),
        incarnation: this.incarnation,
        lives: this.lives,
        generationSeen: 0,
        openSequence: 0,
        quarantined: 0,
        device: 7,
        totalBytes: 100,
        freeBytes: 50,
        ...this.joinChanges,
      },
      options,
    );
    this.lives = this.lives.slice(-1);
    this.upTo = Math.max(cut, this.#asideUpTo);
    await this.#step('joined');
    let after: OpenPlace | undefined = { handle: 0 as Handle, session: 0 as SessionId };
    while (after !== undefined) {
      const request = { after, upTo: Number.MAX_SAFE_INTEGER as Handle };
      const page: ReplyOf<(typeof syncOps)['snapshot']> = await connection.call(
        syncOps.snapshot,
        request,
        options,
      );
      for (const entry of page.entries) enter(aside, entry);
      after = page.next;
      await this.#step('page');
    }
    await this.#step('before confirm');
    for (;;) {
      const request = { sequence: this.upTo };
      const { caughtUp } = await connection.call(syncOps.confirm, request, options);
      if (caughtUp) break;
      await new Promise<void>((resolve) => void runtime.clock.timer(5, resolve));
    }
    this.table = aside;
    await this.#step('confirmed');
    await connection.call(syncOps.serving, { port: 9000, unixPath: '/sock' }, options);
    this.steps.push('serving');
  }

  #aside = new Map<string, OpenEntry>();
  #asideUpTo = 0;

  async #step(step: Step): Promise<void> {
    this.steps.push(step);
    await this.#holds.get(step);
  }

  #handlers(): ControlHandlers {
    const scripted = <Q, R>(op: keyof ControlHandlers, run: (request: Q) => R) => {
      return (request: Q): R | Promise<R> => {
        this.heard.push(`${op} ${JSON.stringify(request)}`);
        if (this.silent.has(op)) return new Promise(() => undefined);
        const failure = this.failures.get(op);
        if (failure) throw failure;
        const delay = this.#delays.get(op);
        return delay ? delay.then(() => run(request)) : run(request);
      };
    };
    return {
      applyOpens: scripted('applyOpens', ({ upTo, entries }) => {
        for (const entry of entries) {
          enter(this.#aside, entry);
          enter(this.table, entry);
        }
        this.upTo = upTo;
        this.#asideUpTo = upTo;
        return { upTo };
      }),
      fence: scripted('fence', () => ({})),
      ownLoads: scripted('ownLoads', () => ({ clients: [], files: [] })),
      ownWaits: scripted('ownWaits', () => ({ waits: [], total: 0 })),
      answerLate: scripted('answerLate', () => ({})),
      stat: scripted('stat', ({ handles }) => ({
        objects: handles.map((handle) => ({
          handle,
          length: this.lengths.get(handle) ?? 0,
          allocated: this.lengths.get(handle) ?? 0,
          modified: { seconds: handle, nanoseconds: 0 },
          exists: this.lengths.has(handle),
        })),
      })),
      truncate: scripted('truncate', ({ handle, length }) => {
        this.lengths.set(handle, length);
        return {};
      }),
      place: scripted('place', ({ handle, bytes }) => {
        this.lengths.set(handle, bytes.length);
        return {};
      }),
      remove: scripted('remove', ({ handles }) => {
        for (const handle of handles) this.lengths.delete(handle);
        return {};
      }),
      ownRecoveries: scripted('ownRecoveries', () => ({ reports: [], done: true })),
    };
  }
}

/** Whoever comes to `key` waits until the result is called. */
function hold<K>(gates: Map<K, Promise<void>>, key: K): () => void {
  const gate = new EventEmitter();
  gates.set(key, new Promise((resolve) => gate.once('open', resolve)));
  return () => {
    gates.delete(key);
    gate.emit('open');
  };
}

function keyOf({ handle, session }: { handle: number; session: number }): string {
  return `${handle} ${session}`;
}

/** Entries are absolute; the higher sequence wins. */
function enter(table: Map<string, OpenEntry>, entry: OpenEntry): void {
  const known = table.get(keyOf(entry));
  if (known && known.sequence > entry.sequence) return;
  table.set(keyOf(entry), entry);
}
