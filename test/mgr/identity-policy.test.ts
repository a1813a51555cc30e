import test from 'ava';
import type { Peer } from '../../shared/rpc/connection.ts';
import { identityFor } from '../../mgr/identity-policy.ts';

const host: Peer = {
  role: 'client',
  node: 'c',
  incarnation: 1,
  trusted: true,
  session: undefined,
  user: undefined,
};
const holderOf = (user: string): Peer => ({ ...host, trusted: false, user });
const claimed = { uid: 5, gid: 6, groups: [7, 0] };
const alice = { uid: 1000, gid: 100, groups: [27] };
const users = new Map([['alice', alice]]);
const open = { rootSquash: false, users };
const squash = { rootSquash: true, users };

test('a host of the cluster acts for whom it says', (t) => {
  t.deepEqual(identityFor(open, host, claimed), claimed);
});

test('a token acts for its user alone, by name or by number (SCENARIOS 263)', (t) => {
  t.deepEqual(identityFor(open, holderOf('alice'), claimed), alice);
  t.deepEqual(identityFor(open, holderOf('42'), claimed), { uid: 42, gid: 65_534, groups: [] });
  t.deepEqual(identityFor(open, holderOf('42:43'), claimed), { uid: 42, gid: 43, groups: [] });
});

test('a token of an unknown user is refused', (t) => {
  for (const name of ['bob', '', '-1', '1.5', '42:', '99999999999', '4294967295']) {
    t.throws(() => identityFor(open, holderOf(name), claimed), { message: /EACCES/ });
  }
});

test('with root squash nobody is root, nor in its group', (t) => {
  const root = { uid: 0, gid: 0, groups: [0, 4] };
  t.deepEqual(identityFor(squash, host, root), { uid: 65_534, gid: 65_534, groups: [4] });
  t.like(identityFor(squash, holderOf('0:0'), claimed), { uid: 65_534, gid: 65_534 });
  t.deepEqual(identityFor(squash, host, claimed), { uid: 5, gid: 6, groups: [7] });
});
