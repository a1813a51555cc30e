/**
 * The members as they are now, and the connection of each: carries out what `membership.ts` says.
 * All that happens to a member happens here, and is logged here.
 */
import assert from 'node:assert/strict';
import { FsError } from '../../shared/errno.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Waiting } from '../../shared/rpc/waits.ts';
import type { Timer } from '../../shared/runtime/runtime.ts';
import { recordKinds } from '../../shared/trace/record.ts';
import type { Epoch, IodIndex } from '../../shared/units.ts';
import type { Member } from '../../shared/wire/values.ts';
import type { ClusterNeeds, Space } from '../cluster-port.ts';
import {
  changeMembership,
  type Effect,
  isReachable,
  type Joined,
  type MemberRecord,
  type Membership,
  type MembershipEvent,
  startMembership,
} from '../membership.ts';

export type RosterNeeds = Pick<ClusterNeeds, 'runtime' | 'view' | 'store' | 'commits' | 'epochs'>;

/** What somebody waits for an iod for. */
export type Errand = Pick<Waiting, 'handles' | 'session'>;

/** Somebody waits for a change of a member. */
interface Wait {
  readonly index: IodIndex;
  readonly errand: Errand;
  readonly begunAt: number;
  timer: Timer | undefined;
  end: () => void;
}

export class Roster {
  readonly #needs: RosterNeeds;
  readonly #connections = new Map<IodIndex, Connection>();
  readonly #leases = new Map<IodIndex, Timer>();
  readonly #listeners: ((index: IodIndex) => void)[] = [];
  readonly #waits = new Set<Wait>();
  #membership: Membership;
  #closed = false;

  constructor(needs: RosterNeeds) {
    this.#needs = needs;
    const { runtime, store, epochs } = needs;
    const { generation } = epochs.newest;
    const start = startMembership(store.members(), generation, runtime.clock.now());
    this.#membership = start;
    this.#perform(start.effects);
  }

  get epoch(): Epoch {
    return this.#membership.epoch;
  }

  get all(): readonly MemberRecord[] {
    return this.#membership.members;
  }

  /** @throws FsError EINVAL when the iodtab has no such iod */
  at(index: IodIndex): MemberRecord {
    const member = this.all[index];
    if (member) return member;
    throw new FsError('EINVAL', {
      what: `there is no iod ${index}; the last is ${this.all.length - 1}`,
    });
  }

  /** The connection over which requests can be made of the iod now. */
  reachable(index: IodIndex): Connection | undefined {
    return isReachable(this.at(index)) ? this.#connections.get(index) : undefined;
  }

  /** True while the iod, though it may not be reachable, may act on what it once heard from us. */
  mayServe(index: IodIndex): boolean {
    return this.at(index).mayServeUntil > this.#now();
  }

  /** @throws FsError why the iod is not let in */
  join(event: Omit<Joined, 'kind' | 'elsewhere'>, connection: Connection): void {
    const { index } = event;
    const earlier = this.#connections.get(index);
    const elsewhere = earlier !== undefined && earlier !== connection;
    this.apply({ kind: 'joined', ...event, elsewhere });
    this.#connections.set(index, connection);
    if (elsewhere) earlier.close(new FsError('ESTALE', { what: 'the iod has started anew' }));
  }

  /** A connection was lost; it need not be that of a member. */
  disconnected(connection: Connection): void {
    for (const [index, its] of this.#connections) {
      if (its !== connection) continue;
      this.#connections.delete(index);
      if (!this.#closed) this.apply({ kind: 'lost', index });
    }
  }

  /** @throws FsError when the event is refused: nothing has changed then */
  apply(event: MembershipEvent): void {
    const { epochs, runtime } = this.#needs;
    const { effects, ...membership } = changeMembership(this.#membership, event, this.#now());
    for (const effect of effects) if (effect.kind === 'refuse') throw effect.error;
    this.#membership = membership;
    // Before any message of the new epoch leaves.
    if (!epochs.observe('mgr', membership.epoch)) {
      runtime.log.error('a later mgr is at work', {
        ours: membership.epoch,
        newest: epochs.newest,
      });
    }
    this.#perform(effects);
  }

  /** Hears of every change of a member: of its state, or that its lease has ended. */
  listen(listener: (index: IodIndex) => void): void {
    this.#listeners.push(listener);
  }

  /** Who waits for a change of a member. */
  *waits(): Iterable<Waiting> {
    const now = this.#now();
    for (const { index, errand, begunAt } of this.#waits) {
      const { row, state, mayServeUntil } = this.at(index);
      const silentMs = this.#connections.get(index)?.silentMs;
      const leftMs = mayServeUntil > now ? mayServeUntil - now : undefined;
      const peer = `iod ${row.name}`;
      const forMs = now - begunAt;
      yield {
        kind: 'iod',
        peer,
        ...errand,
        forMs,
        leftMs,
        silentMs,
        why: `${row.name} is ${state}`,
      };
    }
  }

  /** Resolves at the next change of the member, or at `deadline`; after `close` never. */
  changed(index: IodIndex, deadline: number, errand: Errand = {}): Promise<void> {
    const { clock } = this.#needs.runtime;
    return new Promise((resolve) => {
      const begunAt = clock.now();
      const wait: Wait = { index, errand, begunAt, timer: undefined, end: () => undefined };
      wait.end = () => {
        wait.timer?.cancel();
        this.#waits.delete(wait);
        resolve();
      };
      if (deadline !== Infinity) {
        wait.timer = clock.timer(Math.max(0, deadline - clock.now()), wait.end);
      }
      this.#waits.add(wait);
    });
  }

  /** How clients are told of a member. */
  describe(member: MemberRecord): Member {
    const { row, state, space } = member;
    const { index, name, host, port, boundPort, unixPath, hostId, incarnation } = row;
    const silentMs = this.#connections.get(index)?.silentMs ?? this.#now() - member.heardAt;
    return {
      index,
      name,
      host,
      port: boundPort || port,
      unixPath,
      hostId,
      state,
      incarnation,
      ...space,
      silentMs: Math.round(silentMs),
    };
  }

  /** What the iods have told of their disks, each disk once; nobody is asked. */
  space(): Space {
    const known = this.all.filter(isReachable);
    const disks = new Map(
      known.map(({ row: { hostId }, space }) => [`${hostId} ${space.device}`, space]),
    );
    return {
      totalBytes: sum([...disks.values()].map(({ totalBytes }) => totalBytes)),
      freeBytes: sum([...disks.values()].map(({ freeBytes }) => freeBytes)),
      partial: known.length < this.all.length,
    };
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#leases.values()) timer.cancel();
    for (const { timer } of this.#waits) timer?.cancel();
  }

  #now(): number {
    return this.#needs.runtime.clock.now();
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'persist':
          this.#needs.view.add({ kind: 'put-member', row: effect.row });
          this.#needs.commits.schedule();
          break;
        case 'moved':
          this.#logMove(effect);
          this.#tell(effect.index);
          break;
        case 'watchLease':
          this.#watchLease(effect.index, effect.at);
          break;
        case 'leaseOver':
          this.#leases.get(effect.index)?.cancel();
          this.#tell(effect.index);
          break;
        case 'disconnect':
          this.#disconnect(effect.index, effect.reason);
          break;
        case 'refuse':
          assert.fail('what is refused has no effects');
      }
    }
  }

  #logMove({ index, from, to }: Extract<Effect, { kind: 'moved' }>): void {
    const { name } = this.at(index).row;
    const { generation, number } = this.epoch;
    const { log, recorder, clock } = this.#needs.runtime;
    recorder.note(recordKinds.state, clock.now(), `${name}: ${from} -> ${to}`, {
      generation,
      epoch: number,
    });
    log.info('member moved', { iod: name, from, to, generation, number });
  }

  #tell(index: IodIndex): void {
    for (const listener of this.#listeners) listener(index);
    for (const wait of this.#waits) if (wait.index === index) wait.end();
  }

  #watchLease(index: IodIndex, at: number): void {
    this.#leases.get(index)?.cancel();
    const timer = this.#needs.runtime.clock.timer(Math.max(0, at - this.#now()), () => {
      this.apply({ kind: 'leaseEnded', index });
    });
    this.#leases.set(index, timer);
  }

  #disconnect(index: IodIndex, reason: FsError): void {
    const connection = this.#connections.get(index);
    this.#connections.delete(index);
    connection?.close(reason);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
