/**
 * Who is a member, by one pure function: (members, event, now) -> members, epoch, effects.
 * Nothing here connects, stores or waits; the effects say what shall be done, and in which order.
 */
import assert from 'node:assert/strict';
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Epoch, IodIndex } from '../shared/units.ts';
import type { MemberState } from '../shared/wire/values.ts';
import type { MemberRow } from './store/rows.ts';

/** An iod as the mgr knows it. Times are the mgr's monotonic milliseconds. */
export interface MemberRecord {
  /** What is durable of it. */
  readonly row: MemberRow;
  readonly state: MemberState;
  /** While syncing: it has been told that it knows all, and may listen any moment. */
  readonly confirmed: boolean;
  /**
   * How long it may act on what it has heard from us: Infinity while it is connected, the end of
   * its lease after that, 0 when it surely serves nobody.
   */
  readonly mayServeUntil: number;
  /** When it was last connected; while it is, the connection knows better. */
  readonly heardAt: number;
  readonly space: IodSpace;
}

export interface IodSpace {
  /** Number of its file system on its host. */
  readonly device: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly quarantined: number;
}

export interface Membership {
  readonly epoch: Epoch;
  /** By index, as the iodtab has them. */
  readonly members: readonly MemberRecord[];
}

export interface Joined {
  readonly kind: 'joined';
  readonly index: IodIndex;
  /** In hex. */
  readonly storeId: string;
  readonly incarnation: number;
  /** In hex: of the start that the mgr confirmed last as far as the disk knows, and all after it. */
  readonly lives: readonly string[];
  readonly generationSeen: number;
  readonly hostId: string;
  readonly space: IodSpace;
  /** Another connection than this one speaks for it already. */
  readonly elsewhere: boolean;
}

export type MembershipEvent =
  | Joined
  | { readonly kind: 'caughtUp'; readonly index: IodIndex }
  | {
      readonly kind: 'serving';
      readonly index: IodIndex;
      readonly port: number;
      readonly unixPath: string;
    }
  | { readonly kind: 'draining'; readonly index: IodIndex }
  | { readonly kind: 'lost'; readonly index: IodIndex }
  | { readonly kind: 'leaseEnded'; readonly index: IodIndex }
  | { readonly kind: 'evicted'; readonly index: IodIndex }
  | { readonly kind: 'admitted'; readonly index: IodIndex }
  | { readonly kind: 'reported'; readonly index: IodIndex; readonly space: IodSpace };

export type Effect =
  /** Before all others. */
  | { readonly kind: 'persist'; readonly row: MemberRow }
  | {
      readonly kind: 'moved';
      readonly index: IodIndex;
      readonly from: MemberState;
      readonly to: MemberState;
    }
  /** Send `leaseEnded` at this time. */
  | { readonly kind: 'watchLease'; readonly index: IodIndex; readonly at: number }
  /** From now on it surely serves nobody: what waited for that may go on. */
  | { readonly kind: 'leaseOver'; readonly index: IodIndex }
  | { readonly kind: 'disconnect'; readonly index: IodIndex; readonly reason: FsError }
  /** The event is the iod's fault or misfortune; nothing has changed. */
  | { readonly kind: 'refuse'; readonly error: FsError };

export interface MembershipChange extends Membership {
  readonly effects: readonly Effect[];
}

type Verdict = 'apply' | 'nothing' | 'not-member' | 'out-of-turn';
type Kind = MembershipEvent['kind'];

const always = (verdict: Verdict): Record<MemberState, Verdict> => ({
  absent: verdict,
  syncing: verdict,
  serving: verdict,
  draining: verdict,
  evicted: verdict,
});

/** For each event and state whether it counts. Total: forgetting a cell does not compile. */
const verdicts: Record<Kind, Record<MemberState, Verdict>> = {
  joined: { ...always('apply'), evicted: 'not-member' },
  caughtUp: { ...always('out-of-turn'), syncing: 'apply', evicted: 'not-member' },
  serving: { ...always('out-of-turn'), syncing: 'apply', evicted: 'not-member' },
  draining: {
    ...always('apply'),
    absent: 'out-of-turn',
    draining: 'nothing',
    evicted: 'not-member',
  },
  lost: { ...always('apply'), absent: 'nothing', evicted: 'nothing' },
  leaseEnded: { ...always('nothing'), absent: 'apply', evicted: 'apply' },
  evicted: { ...always('apply'), evicted: 'nothing' },
  admitted: { ...always('nothing'), evicted: 'apply' },
  reported: { ...always('apply'), absent: 'out-of-turn', evicted: 'not-member' },
};

/**
 * The members as a mgr that starts finds them. Whoever was ever a member may have gone on serving
 * while there was no mgr, so each of them has a lease.
 */
export function startMembership(
  rows: readonly MemberRow[],
  generation: number,
  now: number,
): MembershipChange {
  const members = rows.map((row, at): MemberRecord => {
    assert(row.index === at, `member ${row.index} is at place ${at}`);
    return {
      row,
      state: row.evicted ? 'evicted' : 'absent',
      confirmed: false,
      // One that was evicted and admitted has no disk any more, and where it served it still may.
      mayServeUntil: row.storeId === '' && row.boundPort === 0 ? 0 : leaseFrom(now),
      heardAt: now,
      space: { device: 0, totalBytes: 0, freeBytes: 0, quarantined: 0 },
    };
  });
  const effects = members.flatMap(watchLease);
  return { epoch: { generation, number: 0 }, members, effects };
}

/** What becomes of the members when `event` happens at `now`. */
export function changeMembership(
  { epoch, members }: Membership,
  event: MembershipEvent,
  now: number,
): MembershipChange {
  const before = members[event.index];
  assert(before, `there is no iod ${event.index}`);
  const outcome = outcomeOf(before, event, now, epoch);
  if (outcome instanceof FsError) {
    return { epoch, members, effects: [{ kind: 'refuse', error: outcome }] };
  }
  const after = { ...before, ...outcome };
  return {
    epoch: isChange(before, after) ? { ...epoch, number: epoch.number + 1 } : epoch,
    members: members.with(event.index, after),
    effects: effectsOf(before, after, event),
  };
}

/** True while requests can be made of it: it is connected, and its table is whole. */
export function isReachable({ state }: MemberRecord): boolean {
  return state === 'serving' || state === 'draining';
}

type Outcome = Partial<MemberRecord> | FsError;
type EventOf<K extends Kind> = Extract<MembershipEvent, { readonly kind: K }>;
type Rule<K extends Kind> = (
  member: MemberRecord,
  event: EventOf<K>,
  now: number,
  epoch: Epoch,
) => Outcome;

function outcomeOf(
  member: MemberRecord,
  event: MembershipEvent,
  now: number,
  epoch: Epoch,
): Outcome {
  const { state, row } = member;
  const verdict = verdicts[event.kind][state];
  if (verdict === 'nothing') return {};
  if (verdict === 'not-member') {
    return new FsError('EPERM', {
      id: 'WEFT_E_NOT_MEMBER',
      what: `${row.name} has been evicted, and not been admitted again`,
    });
  }
  if (verdict === 'out-of-turn') {
    return new FsError('EPROTO', { what: `${row.name} is ${state}: ${event.kind} is out of turn` });
  }
  const rule = rules[event.kind] as Rule<Kind>;
  return rule(member, event, now, epoch);
}

/** What changes when an event counts. */
const rules: { readonly [K in Kind]: Rule<K> } = {
  joined: (member, event, now, epoch) =>
    refusalOf(member, event, now, epoch) ?? join(member, event, now),

  caughtUp: () => ({ confirmed: true, mayServeUntil: Infinity }),

  serving: ({ row, confirmed }, { port, unixPath }) =>
    confirmed
      ? { state: 'serving', row: { ...row, boundPort: port, unixPath } }
      : new FsError('EPROTO', { what: `${row.name} serves before its sync was confirmed` }),

  draining: () => ({ state: 'draining' }),

  lost: (member, _, now) => ({ ...disconnected(member, now), state: 'absent' }),

  // A timer that fires early is no end of a lease (SCENARIOS 235).
  leaseEnded: ({ mayServeUntil }, _, now) => (mayServeUntil <= now ? { mayServeUntil: 0 } : {}),

  evicted: (member, _, now) => ({
    ...disconnected(member, now),
    state: 'evicted',
    row: { ...member.row, evicted: true },
  }),

  // Whoever evicts has given its bytes up, so that any disk may take its place.
  admitted: ({ row }) => ({
    state: 'absent',
    row: { ...row, evicted: false, storeId: '', incarnation: 0, life: '' },
  }),

  reported: (_, { space }) => ({ space }),
};

/** Why this iod cannot be taken for the one that is listed (SCENARIOS 25-27, 48). */
function refusalOf(
  { row, mayServeUntil }: MemberRecord,
  joined: Joined,
  now: number,
  epoch: Epoch,
): FsError | undefined {
  const { storeId, incarnation, generationSeen, elsewhere } = joined;
  if (generationSeen > epoch.generation) {
    return new FsError('ESTALE', {
      what: `${row.name} has obeyed generation ${generationSeen}, this mgr is of ${epoch.generation}: its store is an old copy`,
    });
  }
  if (row.storeId === '') {
    if (mayServeUntil <= now) return undefined;
    return new FsError('EAGAIN', {
      id: 'WEFT_E_CONFIG_CHANGE',
      what: `the lease of the iod that ${row.name} replaces has not ended`,
      retryAfterMs: Math.ceil(Math.min(mayServeUntil - now, limits.reconnectDelayMaxMs)),
    });
  }
  if (storeId !== row.storeId) return new FsError('ESTALE', { id: 'WEFT_E_STORE_REPLACED' });
  if (!followsOn(row, joined)) {
    return new FsError('ESTALE', {
      id: 'WEFT_E_STORE_OLDER',
      what: `this disk, at start ${incarnation}, does not know start ${row.incarnation} of ${row.name}`,
    });
  }
  if (elsewhere && incarnation === row.incarnation) {
    return new FsError('EBUSY', { what: `another connection speaks for ${row.name}` });
  }
  return undefined;
}

/**
 * Whether the disk has seen the last life that was let in here, or is an older copy of it: an equal
 * count of starts says nothing, because a copy counts on by itself.
 *
 * Each start draws a random life, which is on the disk before it is told to anybody; the mgr stores
 * the life that it lets in before it answers; and the disk forgets a life only when it has the
 * answer to a later one. So whenever an iod dies, before its join, on the way or after it, the life
 * stored here is among those that its next start names. A copy that was made before that life began
 * cannot name it. (One that was made since then can, and is taken for the disk itself.)
 */
function followsOn(row: MemberRow, { lives, incarnation }: Joined): boolean {
  return row.life === '' ? incarnation >= row.incarnation : lives.includes(row.life);
}

function join(
  { row, mayServeUntil }: MemberRecord,
  { storeId, incarnation, lives, hostId, space }: Joined,
  now: number,
): Partial<MemberRecord> {
  // A start on the same disk says that the process before it is gone: only one can hold the lock.
  const isSameProcess = incarnation === row.incarnation;
  return {
    state: 'syncing',
    confirmed: false,
    mayServeUntil: isSameProcess && mayServeUntil > now ? Infinity : 0,
    space,
    row: { ...row, storeId, incarnation, life: lives.at(-1) ?? '', hostId },
  };
}

function disconnected(member: MemberRecord, now: number): Partial<MemberRecord> {
  const { state, mayServeUntil, heardAt } = member;
  return {
    confirmed: false,
    heardAt: state === 'absent' ? heardAt : now,
    mayServeUntil: mayServeUntil === Infinity ? leaseFrom(now) : mayServeUntil,
  };
}

function leaseFrom(now: number): number {
  return now + limits.iodLeaseAtMgrMs;
}

/** The epoch counts who serves, and who may (DESIGN 1). */
function isChange(before: MemberRecord, after: MemberRecord): boolean {
  const differIn = (state: MemberState): boolean =>
    (before.state === state) !== (after.state === state);
  return differIn('serving') || differIn('evicted');
}

function effectsOf(
  before: MemberRecord,
  after: MemberRecord,
  event: MembershipEvent,
): readonly Effect[] {
  const { index, name } = after.row;
  const effects: Effect[] = [];
  if (after.row !== before.row) effects.push({ kind: 'persist', row: after.row });
  if (after.state !== before.state) {
    effects.push({ kind: 'moved', index, from: before.state, to: after.state });
  }
  const wasConnected = before.state !== 'absent' && before.state !== 'evicted';
  if (event.kind === 'evicted' && wasConnected) {
    const reason = new FsError('EPERM', {
      id: 'WEFT_E_NOT_MEMBER',
      what: `${name} has been evicted`,
    });
    effects.push({ kind: 'disconnect', index, reason });
  }
  if (after.mayServeUntil === 0 && before.mayServeUntil > 0) {
    effects.push({ kind: 'leaseOver', index });
  } else if (after.mayServeUntil !== before.mayServeUntil || event.kind === 'leaseEnded') {
    effects.push(...watchLease(after));
  }
  return effects;
}

function watchLease({ mayServeUntil, row }: MemberRecord): Effect[] {
  if (mayServeUntil === 0 || mayServeUntil === Infinity) return [];
  return [{ kind: 'watchLease', index: row.index, at: mayServeUntil }];
}
