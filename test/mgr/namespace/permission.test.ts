import test from 'ava';
import * as fc from 'fast-check';
import {
  changedMode,
  isAllowed,
  modeAfterChangeOwner,
  modeAfterWrite,
  requireChangeOwner,
  requireChangeTimes,
  requireRemove,
} from '../../../mgr/namespace/permission.ts';
import { inherited, type Identity } from '../../../shared/inherited.ts';
import type { Inode } from '../../../mgr/store/rows.ts';
import type { Handle } from '../../../shared/units.ts';
import { alice, bob, fails, root } from '../name-space.ts';

const time = { seconds: 0, nanoseconds: 0 };

function inode(fields: Partial<Inode>): Inode {
  return {
    handle: 2 as Handle,
    kind: 'file',
    mode: 0,
    links: 1,
    uid: alice.uid,
    gid: alice.gid,
    device: 0,
    size: 0,
    accessed: time,
    modified: time,
    changed: time,
    born: time,
    layout: undefined,
    place: 'iods',
    mayHaveHoles: false,
    target: undefined,
    parent: undefined,
    defaults: undefined,
    ...fields,
  };
}

test('the class that fits decides, also when a later one would allow more', (t) => {
  const stranger: Identity = { uid: 9, gid: 9, groups: [] };
  const member: Identity = { uid: 9, gid: 9, groups: [alice.gid] };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0o777 }),
      fc.integer({ min: 0, max: 7 }),
      (mode, mask) => {
        const file = inode({ mode });
        const digits = [mode >> 6, mode >> 3, mode].map((digit) => (digit & mask) === mask);
        return (
          isAllowed(alice, file, mask) === digits[0] &&
          isAllowed(member, file, mask) === digits[1] &&
          isAllowed({ ...stranger, gid: alice.gid }, file, mask) === digits[1] &&
          isAllowed(stranger, file, mask) === digits[2]
        );
      },
    ),
  );
  t.pass();
});

test('root may all, but executes only what somebody may execute', (t) => {
  t.true(isAllowed(root, inode({ mode: 0 }), 6));
  t.false(isAllowed(root, inode({ mode: 0o666 }), 1));
  t.true(isAllowed(root, inode({ mode: 0o010 }), 7));
  t.true(isAllowed(root, inode({ mode: 0, kind: 'directory' }), 7));
});

test('in a sticky directory only its owner and that of the file remove it', (t) => {
  const sticky = inode({ kind: 'directory', mode: 0o1777, uid: 5 });
  t.notThrows(() => requireRemove(alice, sticky, inode({})));
  t.notThrows(() => requireRemove({ ...bob, uid: 5 }, sticky, inode({})));
  t.notThrows(() => requireRemove(root, sticky, inode({})));
  fails(t, 'EPERM', () => requireRemove(bob, sticky, inode({})));
  t.notThrows(() => requireRemove(bob, { ...sticky, mode: 0o777 }, inode({})));
  fails(t, 'EACCES', () => requireRemove(bob, { ...sticky, mode: 0o1775 }, inode({})));
  fails(t, 'EACCES', () => requireRemove(bob, { ...sticky, mode: 0o1776 }, inode({})));
});

test('the mode is for the owner to change; sgid only for a member of the group', (t) => {
  t.is(changedMode(alice, inode({}), alice.gid, 0o6755), 0o6755);
  t.is(changedMode(alice, inode({}), 77, 0o6755), 0o4755);
  t.is(changedMode(root, inode({}), 77, 0o6755), 0o6755);
  fails(t, 'EPERM', () => changedMode(bob, inode({}), bob.gid, 0o777));
});

test('only root gives files away; an owner chooses among its groups', (t) => {
  t.notThrows(() => requireChangeOwner(root, inode({}), 1, 2));
  t.notThrows(() => requireChangeOwner(alice, inode({}), alice.uid, 100));
  fails(t, 'EPERM', () => requireChangeOwner(alice, inode({}), alice.uid, 101));
  fails(t, 'EPERM', () => requireChangeOwner(alice, inode({}), bob.uid, alice.gid));
  fails(t, 'EPERM', () => requireChangeOwner(bob, inode({}), alice.uid, bob.gid));
});

test("who may write sets times to now, other times are the owner's", (t) => {
  t.notThrows(() => requireChangeTimes(alice, inode({ mode: 0 }), false));
  t.notThrows(() => requireChangeTimes(bob, inode({ mode: 0o002 }), true));
  fails(t, 'EPERM', () => requireChangeTimes(bob, inode({ mode: 0o002 }), false));
  fails(t, 'EACCES', () => requireChangeTimes(bob, inode({ mode: 0o600 }), true));
});

test('suid and sgid go with a change of owner and with the writing of others than root', (t) => {
  t.is(modeAfterChangeOwner(inode({ mode: 0o6755 })), 0o755);
  t.is(modeAfterChangeOwner(inode({ mode: 0o6745 })), 0o2745);
  t.is(modeAfterChangeOwner(inode({ mode: 0o6755, kind: 'directory' })), 0o6755);
  t.is(modeAfterWrite(alice, inode({ mode: 0o6755 })), 0o755);
  t.is(modeAfterWrite(root, inode({ mode: 0o6755 })), 0o6755);
});

test('an sgid directory hands its group on, and itself to directories', (t) => {
  const plain = inode({ kind: 'directory', mode: 0o777, gid: 55 });
  const setGid = { ...plain, mode: 0o2777 };
  t.deepEqual(inherited(alice, plain, 'file', 0o2755), { gid: alice.gid, mode: 0o2755 });
  t.deepEqual(inherited(alice, setGid, 'directory', 0o755), { gid: 55, mode: 0o2755 });
  t.deepEqual(inherited(alice, setGid, 'file', 0o644), { gid: 55, mode: 0o644 });
  t.deepEqual(inherited(alice, setGid, 'file', 0o2755), { gid: 55, mode: 0o755 });
  t.deepEqual(inherited(alice, setGid, 'file', 0o2745), { gid: 55, mode: 0o2745 });
  t.deepEqual(inherited(root, setGid, 'file', 0o2755), { gid: 55, mode: 0o2755 });
});
