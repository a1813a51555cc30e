/** What is made by handle in directories that are lent, and what the mgr is asked behind it. */
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { placeAt } from '../../client/handle-place.ts';
import type { Cacher } from '../../client/mgr-session.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { Op, RequestOf } from '../../shared/wire/op.ts';
import { directoryAttr, firstHandle, lentHandle, placeOf, room, user } from './lending-mgr.ts';
import { isOver, PassingTime, soon } from './passing-time.ts';

const names = new Map<number, string>(
  Object.entries({ ...nameOps, ...fileOps }).map(([name, { code }]) => [code, name]),
);
const control = {};
const revoke = () => Promise.resolve();
const { create, read, write } = openFlags;
const open = { flags: create | write, mode: 0o644, durable: false, maker: user } as const;

/** A mgr that lends the directories that it makes, and notes what it is asked. */
function stage({ caches = true, lends = true } = {}) {
  const { clock } = new PassingTime(0);
  const asked: string[] = [];
  let cacher: Cacher | undefined;
  let told: (() => void)[] = [];
  const state = { isSlow: false, lend: undefined as boolean | undefined };
  const replies: Readonly<Record<string, (request: never) => object>> = {
    getAttr: ({ handle }: RequestOf<typeof nameOps.getAttr>) => ({ attr: directoryAttr(handle) }),
    takeHandles: () => ({ first: firstHandle, count: 100 }),
    makeNode: ({ lend }: RequestOf<typeof nameOps.makeNode>) => {
      state.lend = lend;
      return { attr: directoryAttr(lentHandle), lent: lends, roomAtMgr: room };
    },
    settleNames: ({ made }: RequestOf<typeof fileOps.settleNames>) => {
      const rights = Uint8Array.from(made, () => 1);
      return { attr: directoryAttr(lentHandle, { right: false }), rights, isFull: false };
    },
  };
  const session = {
    runtime: { clock, log: { error: () => undefined } },
    session: { uid: 0, gid: 0, groups: [] },
    cacheWith: (one: Cacher) => {
      cacher = one;
      one.granted();
    },
    holdsAlso: () => undefined,
    onLost: () => undefined,
    call: async ({ code }: Op, request: never) => {
      const name = names.get(code) ?? 'ping';
      if (name !== 'takeHandles') asked.push(name);
      if (state.isSlow) await new Promise<void>((resolve) => void told.push(resolve));
      return replies[name]?.(request) ?? {};
    },
  };
  const fileSystem = { session, iods: {} } as unknown as FileSystem;
  const access = new HandleAccess({ fileSystem, deadlineMs: 1000, ...(caches && { revoke }) });
  const answer = (): void => {
    state.isSlow = false;
    for (const tell of told.splice(0)) tell();
  };
  const make = async () => {
    await access.attr(rootHandle, control);
    await access.makeDirectory(placeOf('d', rootHandle), 0o755, undefined, control);
    await soon();
    asked.length = 0;
  };
  const makeHere = (name: string) =>
    access.makeHere({ at: placeOf(name), kind: 'directory', mode: 0o755 }, undefined);
  return { access, asked, state, answer, make, makeHere, cacher: () => cacher };
}

test('what is made in a directory that is lent is known at once, and nobody is asked', async (t) => {
  const { access, asked, state, make, makeHere } = stage();
  await make();
  t.true(state.lend);
  const sub = makeHere('sub');
  t.like(sub, { uid: 0, gid: 0 }, 'whose maker nobody has named is of this session');
  const opened = access.openHere({ ...open, at: placeOf('file') });
  t.like(opened?.attr, { uid: user.uid, kind: 'file' });
  t.deepEqual(access.known(placeOf('sub')), sub);
  t.is(access.known(placeOf('none')), null);
  t.deepEqual(await access.lookup(placeOf('file'), control), opened?.attr);
  t.true(opened && access.isOpen(opened.file));
  const target = byteString('there');
  const wish = { at: placeOf('link'), kind: 'symlink', mode: 0o777, target } as const;
  const { handle = lentHandle } = access.makeHere(wish, user) ?? {};
  t.is(access.names?.target(handle)?.toString(), 'there');
  t.like(access.changeHere(handle, { uid: 8 }), { uid: 8 });
  t.like(access.changeHere(lentHandle, { mode: 0o700 }), { mode: 0o700 });
  t.like(access.here(lentHandle), { mode: 0o700, links: 3 });
  t.deepEqual(asked, []);
});

test('only what was made here can have no extended attributes', async (t) => {
  const { access, make, makeHere } = stage();
  await make();
  const { handle = lentHandle } = makeHere('sub') ?? {};
  t.true(access.isNew(handle));
  t.truthy(access.here(lentHandle));
  t.false(access.isNew(lentHandle), 'it may have been borrowed');
});

test('what must be durable at once, or is not written, the mgr makes', async (t) => {
  const { access, make } = stage();
  await make();
  t.is(access.openHere({ ...open, at: placeOf('a'), durable: true }), undefined);
  t.is(access.openHere({ ...open, at: placeOf('a'), flags: create | read }), undefined);
  t.truthy(access.openHere({ ...open, at: placeOf('a') }));
});

test('a question about what was made waits until the mgr knows of it', async (t) => {
  const { access, asked, state, answer, make, makeHere } = stage();
  await make();
  const { handle = lentHandle } = makeHere('sub') ?? {};
  state.isSlow = true;
  const asking = access.call(nameOps.getAttr, { handle }, control);
  await soon();
  t.deepEqual(asked, ['settleNames']);
  answer();
  await asking;
  t.deepEqual(asked, ['settleNames', 'settleNames', 'getAttr'], 'and it goes back itself');
  t.is(access.here(handle), undefined);
});

test('who asks waits no longer than he would for the answer', async (t) => {
  const { access, state, make, makeHere } = stage();
  await make();
  makeHere('sub');
  const file = access.openHere({ ...open, at: placeOf('file') })?.file;
  state.isSlow = true;
  const signal = AbortSignal.abort();
  const asking = access.call(nameOps.readLink, { at: placeAt(lentHandle) }, { signal });
  await t.throwsAsync(asking, { code: 'ECANCELED' });
  const settled = access.settled(firstHandle, { signal }) ?? Promise.resolve();
  await t.throwsAsync(settled, { code: 'ECANCELED' });
  await t.throwsAsync(file?.stat({ signal }) ?? Promise.resolve(), { code: 'ECANCELED' });
});

test('a recall of the mgr is answered when the names are told; what is told is owed', async (t) => {
  const { access, asked, state, answer, make, makeHere, cacher } = stage();
  await make();
  makeHere('sub');
  t.is(cacher()?.owed(), undefined);
  state.isSlow = true;
  const recalled = cacher()?.recalled([lentHandle]) ?? Promise.resolve();
  t.is(makeHere('more'), undefined);
  await soon();
  t.deepEqual(asked, ['settleNames']);
  const owed = cacher()?.owed() ?? Promise.resolve();
  t.false(await isOver(Promise.race([recalled, owed])));
  answer();
  t.true(await isOver(Promise.all([recalled, owed])));
  t.is(access.here(lentHandle), undefined);
});

test('nothing is lent to who does not cache, nor when the mgr keeps it', async (t) => {
  const uncached = stage({ caches: false });
  await uncached.make();
  t.false(uncached.state.lend);
  t.is(uncached.makeHere('sub'), undefined);
  const kept = stage({ lends: false });
  await kept.make();
  t.true(kept.state.lend);
  t.is(kept.makeHere('sub'), undefined);
  t.is(kept.access.here(8 as Handle), undefined);
});
