/** A mgr that does what a test says: it keeps opens, streams them, and answers the sync of an iod. */
import { type Key, signCap } from '../../shared/auth.ts';
import { BufferPool } from '../../shared/buffer-pool.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { Acceptor } from '../../shared/rpc/acceptor.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import { serveLink } from '../../shared/rpc/handshake.ts';
import { Service } from '../../shared/rpc/service.ts';
import { OpenDigest } from '../../shared/open-digest.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { Handle, IodIndex, SessionId } from '../../shared/units.ts';
import { controlOps } from '../../shared/wire/iod-ops.ts';
import { syncOps } from '../../shared/wire/sync-ops.ts';
import type { Op, RequestOf } from '../../shared/wire/op.ts';
import type { Cap, OpenEntry, OpenPlace, OpenRange } from '../../shared/wire/values.ts';

export type Step = keyof typeof syncOps;

export interface MgrScript {
  readonly secret: Key;
  readonly cluster?: string;
  readonly generation?: number;
  /** Entries in a page of a snapshot. */
  readonly pageSize?: number;
  /** Before each answer to an iod: may wait, throw, or cut the connection. */
  readonly before?: (step: Step, connection: Connection) => void | Promise<void>;
}

export const mgrPort = 7300;

export class ScriptedMgr {
  readonly joins: RequestOf<(typeof syncOps)['join']>[] = [];
  readonly addresses: RequestOf<(typeof syncOps)['serving']>[] = [];
  readonly steps: Step[] = [];
  /** How often it still says that it has something left to do. */
  refusals = 0;
  /** It has the whole table. */
  #entries = new Map<string, OpenEntry>();
  #sequence: number;
  #iod: Connection | undefined;
  readonly #runtime: Runtime;
  readonly #script: MgrScript;
  readonly #acceptor: Acceptor;

  constructor(runtime: Runtime, script: MgrScript, from?: ScriptedMgr) {
    this.#runtime = runtime;
    this.#script = script;
    this.#entries = new Map(from?.entries.map((entry) => [keyOf(entry), entry]));
    this.#sequence = from?.sequence ?? 100;
    const cluster = script.cluster ?? 'c';
    this.#acceptor = new Acceptor({
      runtime,
      self: { role: 'mgr', node: 'mgr', incarnation: this.generation, cluster: () => cluster },
      epochs: new EpochWatch({ generation: this.generation, number: 1 }),
      buffers: new BufferPool(0),
      service: this.#service(cluster),
      admit: ({ role, node, incarnation }) => ({
        key: script.secret,
        peer: { role, node, incarnation, trusted: true, session: undefined, user: undefined },
      }),
      onClosed: (connection) => {
        if (connection === this.#iod) this.#iod = undefined;
      },
    });
  }

  get generation(): number {
    return this.#script.generation ?? 1;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** All opens in force. */
  get entries(): OpenEntry[] {
    return [...this.#entries.values()].filter(({ rights }) => rights !== 0);
  }

  /** @returns the port */
  async listen(endpoint = { host: '0.0.0.0', port: mgrPort }): Promise<number> {
    const bound = await this.#acceptor.listen({ kind: 'tcp', ...endpoint });
    return bound.kind === 'tcp' ? bound.port : 0;
  }

  async close(): Promise<void> {
    await this.#acceptor.close(new FsError('ECANCELED', { what: 'the test is over' }));
  }

  /** Changes what a session has open, and tells the iod behind our back. @returns the new cap */
  open(handle: Handle, session: SessionId, rights: number): Cap {
    const sequence = ++this.#sequence;
    const entry = { handle, session, rights, sequence };
    this.#entries.set(keyOf(entry), entry);
    this.#tell(sequence - 1, [entry]);
    return signCap(this.#script.secret, { ...entry, generation: this.generation });
  }

  /** An open that the iod is not told of. */
  openSilently(handle: Handle, session: SessionId, rights: number): Cap {
    const iod = this.#iod;
    this.#iod = undefined;
    const cap = this.open(handle, session, rights);
    this.#iod = iod;
    return cap;
  }

  /** Tells the iod changes of any kind. */
  tell(after: number, entries: readonly OpenEntry[]): void {
    this.#tell(after, entries);
  }

  /** Asks the iod something. */
  ask<Q, R>(op: Op<Q, R>, request: Q): Promise<R> {
    if (this.#iod === undefined) throw new FsError('EPIPE', { what: 'no iod has joined' });
    const deadline = this.#runtime.clock.now() + limits.callDeadlineDefaultMs;
    return this.#iod.call(op, request, { deadline });
  }

  /** The connection of the iod is gone. */
  cut(): void {
    this.#iod?.close(new FsError('EPIPE', { what: 'cut by the test' }));
  }

  /** In order. */
  #between(after: OpenPlace, upTo: number = Infinity): OpenEntry[] {
    return this.entries
      .toSorted((a, b) => a.handle - b.handle || a.session - b.session)
      .filter(
        ({ handle, session }) =>
          handle <= upTo &&
          (handle > after.handle || (handle === after.handle && session > after.session)),
      );
  }

  #tell(after: number, entries: readonly OpenEntry[]): void {
    const upTo = after + entries.length;
    // What a lost connection does to it is the iod's to notice.
    this.#iod
      ?.call(controlOps.applyOpens, { after, upTo, entries }, { deadline: Infinity })
      .catch(() => undefined);
  }

  #service(cluster: string): Service {
    const { before, pageSize = 2 } = this.#script;
    const step = async (name: Step, connection: Connection): Promise<void> => {
      this.steps.push(name);
      await before?.(name, connection);
    };
    return serveLink(new Service()).serve(syncOps, {
      join: async (request, { connection }) => {
        await step('join', connection);
        if (request.generationSeen > this.generation) throw new FsError('ESTALE');
        this.joins.push(request);
        this.#iod = connection;
        const opens = this.entries.length;
        return { index: 3 as IodIndex, cluster, cut: this.#sequence, opens, running: 1 };
      },
      compare: async ({ after, whole }, { connection }) => {
        await step('compare', connection);
        if (whole) return { ranges: [rangeOf(this.entries, lastHandle)], done: true };
        const ranges = rangesOf(this.#between({ handle: after, session: everybody }));
        return { ranges: ranges.slice(0, pageSize), done: ranges.length <= pageSize };
      },
      snapshot: async ({ after, upTo }, { connection }) => {
        await step('snapshot', connection);
        const rest = this.#between(after, upTo);
        const entries = rest.slice(0, pageSize);
        return { entries, next: rest.length > pageSize ? entries.at(-1) : undefined };
      },
      confirm: async (_, { connection }) => {
        await step('confirm', connection);
        const caughtUp = this.refusals === 0;
        if (!caughtUp) this.refusals--;
        return { caughtUp, sequence: this.#sequence };
      },
      serving: async (address, { connection }) => {
        await step('serving', connection);
        if (connection.isOpen) this.addresses.push(address);
        return {};
      },
      draining: async (_, { connection }) => {
        await step('draining', connection);
        return {};
      },
      report: async (_, { connection }) => {
        await step('report', connection);
        return {};
      },
    });
  }
}

const everybody = Number.MAX_SAFE_INTEGER as SessionId;
const lastHandle = Number.MAX_SAFE_INTEGER as Handle;

/** A range for each file; and one for all that is behind the last of them. */
function rangesOf(entries: readonly OpenEntry[]): OpenRange[] {
  const ends = [...new Set(entries.map(({ handle }) => handle)), lastHandle];
  return ends.map((upTo) =>
    rangeOf(
      entries.filter(({ handle }) => handle === upTo),
      upTo,
    ),
  );
}

function rangeOf(entries: readonly OpenEntry[], upTo: Handle): OpenRange {
  const digest = new OpenDigest();
  for (const { handle, session, rights, sequence } of entries) {
    digest.add(handle, session, rights, sequence);
  }
  return { upTo, low: digest.low, high: digest.high };
}

function keyOf({ handle, session }: Pick<OpenEntry, 'handle' | 'session'>): string {
  return `${handle} ${session}`;
}
