import test from 'ava';
import * as fc from 'fast-check';
import { limits } from '../../shared/limits.ts';
import type { IodIndex } from '../../shared/units.ts';
import { type MemberState, memberStates } from '../../shared/wire/values.ts';
import {
  changeMembership,
  type Effect,
  type MemberRecord,
  type Membership,
  type MembershipEvent,
  startMembership,
} from '../../mgr/membership.ts';
import { memberRow } from './cluster/cluster-world.ts';

const index = 0 as IodIndex;
const now = 1_000_000;
const leaseMs = limits.iodLeaseAtMgrMs;
const space = { device: 1, totalBytes: 9, freeBytes: 5, quarantined: 1 };
const emptySpace = { device: 0, totalBytes: 0, freeBytes: 0, quarantined: 0 };
const known = memberRow(0, { storeId: 'aa', incarnation: 5, life: 'five' });

const joined: Extract<MembershipEvent, { kind: 'joined' }> = {
  kind: 'joined',
  index,
  storeId: 'aa',
  incarnation: 5,
  lives: ['five'],
  generationSeen: 3,
  hostId: 'host',
  space,
  elsewhere: false,
};

const events: { readonly [K in MembershipEvent['kind']]: MembershipEvent } = {
  joined,
  caughtUp: { kind: 'caughtUp', index },
  serving: { kind: 'serving', index, port: 7301, unixPath: '/s' },
  draining: { kind: 'draining', index },
  lost: { kind: 'lost', index },
  leaseEnded: { kind: 'leaseEnded', index },
  evicted: { kind: 'evicted', index },
  admitted: { kind: 'admitted', index },
  reported: { kind: 'reported', index, space },
};

function membershipOf(member: Partial<MemberRecord>): Membership {
  const whole: MemberRecord = {
    row: known,
    state: 'absent',
    confirmed: false,
    mayServeUntil: 0,
    heardAt: 0,
    space: emptySpace,
    ...member,
  };
  return { epoch: { generation: 7, number: 2 }, members: [whole] };
}

/** A member as it is in the middle of its life in a state. */
const typical: Readonly<Record<MemberState, Partial<MemberRecord>>> = {
  absent: { state: 'absent', mayServeUntil: now + 10 },
  syncing: { state: 'syncing', confirmed: true, mayServeUntil: Infinity },
  serving: { state: 'serving', confirmed: true, mayServeUntil: Infinity },
  draining: { state: 'draining', confirmed: true, mayServeUntil: Infinity },
  evicted: { state: 'evicted', mayServeUntil: now + 10, row: { ...known, evicted: true } },
};

/** The table: the state that follows, `=` for nothing happens, or the error of the refusal. */
const table: { readonly [K in MembershipEvent['kind']]: Readonly<Record<MemberState, string>> } = {
  joined: {
    absent: 'syncing',
    syncing: 'syncing',
    serving: 'syncing',
    draining: 'syncing',
    evicted: 'WEFT_E_NOT_MEMBER',
  },
  caughtUp: {
    absent: 'EPROTO',
    syncing: 'syncing',
    serving: 'EPROTO',
    draining: 'EPROTO',
    evicted: 'WEFT_E_NOT_MEMBER',
  },
  serving: {
    absent: 'EPROTO',
    syncing: 'serving',
    serving: 'EPROTO',
    draining: 'EPROTO',
    evicted: 'WEFT_E_NOT_MEMBER',
  },
  draining: {
    absent: 'EPROTO',
    syncing: 'draining',
    serving: 'draining',
    draining: '=',
    evicted: 'WEFT_E_NOT_MEMBER',
  },
  lost: { absent: '=', syncing: 'absent', serving: 'absent', draining: 'absent', evicted: '=' },
  leaseEnded: { absent: 'absent', syncing: '=', serving: '=', draining: '=', evicted: 'evicted' },
  evicted: {
    absent: 'evicted',
    syncing: 'evicted',
    serving: 'evicted',
    draining: 'evicted',
    evicted: '=',
  },
  admitted: { absent: '=', syncing: '=', serving: '=', draining: '=', evicted: 'absent' },
  reported: {
    absent: 'EPROTO',
    syncing: 'syncing',
    serving: 'serving',
    draining: 'draining',
    evicted: 'WEFT_E_NOT_MEMBER',
  },
};

function refusalIn(effects: readonly Effect[]): string | undefined {
  for (const effect of effects) {
    if (effect.kind === 'refuse') return effect.error.weftCode ?? effect.error.code;
  }
  return undefined;
}

function kindsOf(effects: readonly Effect[]): string[] {
  return effects.map(({ kind }) => kind);
}

function after(member: Partial<MemberRecord>, event: MembershipEvent, at = now) {
  const before = membershipOf(member);
  const change = changeMembership(before, event, at);
  const [next] = change.members;
  if (!next) throw new Error('the member is gone');
  return { ...change, before, next, refusal: refusalIn(change.effects) };
}

for (const [kind, row] of Object.entries<Record<MemberState, string>>(table)) {
  for (const state of memberStates) {
    const expected = row[state];
    test(`${kind} while ${state}: ${expected}`, (t) => {
      const event = events[kind as MembershipEvent['kind']];
      const { before, next, epoch, effects, refusal } = after(typical[state], event);
      if (expected.startsWith('WEFT_E_') || expected === 'EPROTO') {
        t.is(refusal, expected);
        t.is(effects.length, 1);
        t.deepEqual(next, before.members[0]);
        t.deepEqual(epoch, before.epoch);
        return;
      }
      t.is(refusal, undefined);
      t.is<string, string>(next.state, expected === '=' ? state : expected);
      if (expected === '=') t.deepEqual(next, before.members[0]);
      const moved = effects.filter((effect) => effect.kind === 'moved');
      const isMove = next.state !== state;
      t.deepEqual(moved, isMove ? [{ kind: 'moved', index, from: state, to: next.state }] : []);
      const counts = (one: MemberState): boolean => (one === state) !== (one === next.state);
      t.is(epoch.number, counts('serving') || counts('evicted') ? 3 : 2);
      t.is(epoch.generation, 7);
    });
  }
}

test('what an iod says of itself is made durable before anything else is done', (t) => {
  const join = after({ row: memberRow(0) }, joined);
  t.deepEqual(join.effects[0], {
    kind: 'persist',
    row: memberRow(0, { storeId: 'aa', incarnation: 5, life: 'five', hostId: 'host' }),
  });
  t.deepEqual(join.next.space, space);
  const serving = after(typical.syncing, events.serving);
  t.deepEqual(serving.effects[0], {
    kind: 'persist',
    row: { ...known, boundPort: 7301, unixPath: '/s' },
  });
});

test('an iod serves only after its sync was confirmed', (t) => {
  const { refusal } = after({ ...typical.syncing, confirmed: false }, events.serving);
  t.is(refusal, 'EPROTO');
  t.true(after({ state: 'syncing' }, events.caughtUp).next.confirmed);
});

test('a new disk under an old name is refused', (t) => {
  t.is(after({}, { ...joined, storeId: 'bb', incarnation: 9 }).refusal, 'WEFT_E_STORE_REPLACED');
});

test('an older copy of the disk is refused', (t) => {
  const copy = { ...joined, incarnation: 5, lives: ['four', 'another five'] };
  t.is(after({}, copy).refusal, 'WEFT_E_STORE_OLDER');
  t.is(after({}, { ...copy, incarnation: 9 }).refusal, 'WEFT_E_STORE_OLDER');
});

test('an iod is let in wherever its lives before this one were cut', (t) => {
  for (const lives of [
    ['five'],
    ['five', 'six'],
    ['four', 'five', 'six'],
    ['five', 'six', 'seven'],
  ]) {
    const { refusal, next } = after({}, { ...joined, incarnation: 7, lives });
    t.is(refusal, undefined);
    t.deepEqual([next.row.life], lives.slice(-1));
  }
});

test('an iod of which an earlier version has stored no life must have started as often', (t) => {
  const row = { ...known, life: '' };
  t.is(after({ row }, { ...joined, incarnation: 4 }).refusal, 'WEFT_E_STORE_OLDER');
  t.is(after({ row }, { ...joined, lives: ['six'] }).next.row.life, 'six');
});

test('an iod that has obeyed a later mgr is refused by this one', (t) => {
  t.is(after({}, { ...joined, generationSeen: 8 }).refusal, 'ESTALE');
  t.is(after({}, { ...joined, generationSeen: 7 }).refusal, undefined);
});

test('a second copy of an iod that is there is refused, a later start of it takes over', (t) => {
  t.is(after(typical.serving, { ...joined, elsewhere: true }).refusal, 'EBUSY');
  const later = after(typical.serving, { ...joined, elsewhere: true, incarnation: 6 });
  t.is(later.refusal, undefined);
  t.is(later.next.state, 'syncing');
});

test('after eviction and admission any disk may take the place, once the lease is over', (t) => {
  const admitted = after(typical.evicted, events.admitted);
  t.like(admitted.next.row, { storeId: '', life: '' });
  t.false(admitted.next.row.evicted);
  const other: MembershipEvent = { ...joined, storeId: 'bb', incarnation: 1 };
  t.is(after(admitted.next, other).refusal, 'WEFT_E_CONFIG_CHANGE');
  const later = after(admitted.next, other, now + 10);
  t.is(later.refusal, undefined);
  t.is(later.next.row.storeId, 'bb');
});

test('an iod that was evicted and admitted may still serve when the mgr starts anew (SCENARIOS 18)', (t) => {
  const { row } = after(typical.evicted, events.admitted).next;
  const start = (boundPort: number) =>
    startMembership([{ ...row, index: 0 as IodIndex, boundPort }], 4, now).members[0];
  t.is(start(7301)?.mayServeUntil, now + leaseMs);
  t.is(start(0)?.mayServeUntil, 0, 'it has never served');
});

test('whoever evicts an iod cuts its connection, and its lease runs from then on', (t) => {
  const { next, effects } = after(typical.serving, events.evicted);
  t.is(next.mayServeUntil, now + leaseMs);
  t.deepEqual(kindsOf(effects), ['persist', 'moved', 'disconnect', 'watchLease']);
  t.deepEqual(kindsOf(after(typical.absent, events.evicted).effects), ['persist', 'moved']);
});

test('an iod that is lost may serve until its lease ends, one that never served not at all', (t) => {
  const lost = after(typical.serving, events.lost);
  t.is(lost.next.mayServeUntil, now + leaseMs);
  t.deepEqual(lost.effects.at(-1), { kind: 'watchLease', index, at: now + leaseMs });
  const early = after({ state: 'syncing', mayServeUntil: 0 }, events.lost);
  t.is(early.next.mayServeUntil, 0);
  t.deepEqual(kindsOf(early.effects), ['moved']);
});

test('a lease ends at its time, not when a timer comes early', (t) => {
  const member = { mayServeUntil: now };
  const early = after(member, events.leaseEnded, now - 1);
  t.is(early.next.mayServeUntil, now);
  t.deepEqual(early.effects, [{ kind: 'watchLease', index, at: now }]);
  const due = after(member, events.leaseEnded);
  t.is(due.next.mayServeUntil, 0);
  t.deepEqual(due.effects, [{ kind: 'leaseOver', index }]);
});

test('a new start of an iod ends the lease of the one before it, a reconnect keeps it', (t) => {
  const again = after(typical.absent, { ...joined, incarnation: 6 });
  t.is(again.next.mayServeUntil, 0);
  t.true(kindsOf(again.effects).includes('leaseOver'));
  t.is(after(typical.absent, joined).next.mayServeUntil, Infinity);
  const late = after({ state: 'absent', mayServeUntil: 0 }, joined);
  t.is(late.next.mayServeUntil, 0, 'it has stopped serving, and syncs before it begins again');
});

test('a mgr that starts gives every iod that was ever there a lease', (t) => {
  const rows = [memberRow(0), memberRow(1, { storeId: 'aa' }), memberRow(2, { evicted: true })];
  const { epoch, members, effects } = startMembership(rows, 4, now);
  t.deepEqual(epoch, { generation: 4, number: 0 });
  t.deepEqual(
    members.map(({ state, mayServeUntil }) => [state, mayServeUntil]),
    [
      ['absent', 0],
      ['absent', now + leaseMs],
      ['evicted', 0],
    ],
  );
  t.deepEqual(effects, [{ kind: 'watchLease', index: 1 as IodIndex, at: now + leaseMs }]);
});

test('whatever happens: the epoch never falls, and only a connected iod has a lease without end', (t) => {
  const anyEvent = fc.oneof(
    fc.constantFrom(...Object.values(events)),
    fc
      .record({
        incarnation: fc.integer({ min: 4, max: 7 }),
        lives: fc.subarray(['four', 'five', 'six'], { minLength: 1 }),
        elsewhere: fc.boolean(),
        storeId: fc.constantFrom('aa', 'bb'),
      })
      .map((changes): MembershipEvent => ({ ...joined, ...changes })),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.nat(50_000)), { maxLength: 40 }), (history) => {
      let membership: Membership = membershipOf({});
      let at = now;
      for (const [event, delayMs] of history) {
        at += delayMs;
        const { effects, ...next } = changeMembership(membership, event, at);
        t.true(next.epoch.number >= membership.epoch.number);
        const [member] = next.members;
        if (!member) throw new Error('the member is gone');
        const isConnected = member.state !== 'absent' && member.state !== 'evicted';
        if (!isConnected) t.not(member.mayServeUntil, Infinity);
        else t.true(member.mayServeUntil === 0 || member.mayServeUntil === Infinity);
        if (member.state === 'serving') t.true(member.confirmed);
        t.is(member.state === 'evicted', member.row.evicted);
        if (refusalIn(effects) !== undefined) t.is(next.members, membership.members);
        membership = next;
      }
    }),
  );
});
