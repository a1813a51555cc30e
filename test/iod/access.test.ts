/** Who may connect to an iod, and which files are open to whom. */
import test from 'ava';
import { noSecret, sessionKey, signCap } from '../../shared/auth.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { controlOps, dataOps } from '../../shared/wire/iod-ops.ts';
import { secret, servingStage } from './stage.ts';

const handle = (value: number): Handle => value as Handle;
const session = (value: number): SessionId => value as SessionId;
const file = handle(1);
const read = { handle: file, offset: 0, length: 9 };

test('a cap that is forged, of another session, changed, or closed opens nothing', async (t) => {
  const { stage, client, cap } = await servingStage();
  const { body } = cap;
  const refused = { code: 'EACCES', message: /cap/ };
  const forged = signCap(Buffer.alloc(32, 8), { ...body, handle: handle(2), sequence: 10 ** 9 });
  const foreign = signCap(secret, { ...body, session: session(8), sequence: 10 ** 9 });
  const changed = { ...cap, body: { ...body, handle: handle(2) } };
  const grown = { ...cap, body: { ...body, sequence: 10 ** 9 } };
  for (const wrong of [forged, foreign, changed, grown]) {
    const error = await t.throwsAsync(client.once(dataOps.admit, { cap: wrong }), refused);
    t.like(error, { weftCode: 'WEFT_E_CAP_REFUSED' });
  }
  await t.throwsAsync(client.once(dataOps.read, { ...read, handle: handle(2) }), {
    code: 'ESTALE',
  });
  await stage.asMgr((mgr) => mgr.open(file, session(7), 0));
  await stage.pass(50);
  const stale = await t.throwsAsync(client.once(dataOps.admit, { cap }), { code: 'ESTALE' });
  t.like(stale, { weftCode: 'WEFT_E_CAP_STALE' });
  await t.throwsAsync(client.once(dataOps.read, read), { code: 'ESTALE' });
  const { refusedCaps } = await client.once(dataOps.iodStatus, {});
  t.is(refusedCaps, 4);
});

test('a cap newer than the table opens at once: no open waits for an iod', async (t) => {
  const { stage, client } = await servingStage();
  const cap = await stage.asMgr((mgr) => mgr.openSilently(handle(5), session(7), 1));
  const request = { ...read, handle: handle(5) };
  await t.throwsAsync(client.once(dataOps.read, request), { code: 'ESTALE' });
  await client.once(dataOps.admit, { cap });
  await t.notThrowsAsync(client.once(dataOps.read, request));
});

test('a right to read is none to write, and the other way round', async (t) => {
  const { stage, client } = await servingStage();
  await stage.asMgr((mgr) => {
    mgr.open(handle(2), session(7), 1);
    mgr.open(handle(3), session(7), 2);
  });
  await stage.pass(50);
  const write = (of: number) => client.once(dataOps.write, { handle: handle(of), offset: 0 }, 'x');
  const readOf = (of: number) => client.once(dataOps.read, { ...read, handle: handle(of) });
  await t.notThrowsAsync(readOf(2));
  await t.notThrowsAsync(write(3));
  await t.throwsAsync(write(2), { code: 'EACCES' });
  await t.throwsAsync(readOf(3), { code: 'EACCES' });
  await t.notThrowsAsync(client.once(dataOps.sync, { handle: handle(2) }));
});

test('whoever has no session has no file; whoever has no cluster key has no lists', async (t) => {
  const { stage, client } = await servingStage();
  const operator = await stage.connect({});
  await t.throwsAsync(operator.once(dataOps.read, read), { code: 'EACCES' });
  await client.once(dataOps.write, { handle: file, offset: 1 }, 'ab');
  const { objects } = await operator.once(dataOps.listObjects, { after: handle(0) });
  t.like(objects, [{ handle: file, length: 3 }]);
  t.deepEqual(await operator.once(dataOps.listQuarantine, { after: '' }), {
    entries: [],
    done: true,
  });
  await t.throwsAsync(client.once(dataOps.listObjects, { after: handle(0) }), { code: 'EACCES' });
  await t.throwsAsync(client.once(dataOps.listQuarantine, { after: '' }), { code: 'EACCES' });
  await t.throwsAsync(client.once(dataOps.resolveQuarantine, { id: '1', action: 'discard' }), {
    code: 'EACCES',
  });
  await t.throwsAsync(operator.once(dataOps.resolveQuarantine, { id: '1', action: 'restore' }), {
    code: 'ENOENT',
  });
});

test('a session that was ended loses its connection, its files and the way back', async (t) => {
  const { stage, client, cap } = await servingStage();
  const other = await stage.connect({ session: 8 });
  await stage.asMgr((mgr) => mgr.ask(controlOps.fence, { session: session(7) }));
  await stage.world.run({ until: () => !client.isConnected });
  await t.throwsAsync(client.call(dataOps.admit, { cap }), { message: /session 7/ });
  t.true(other.isConnected);
  t.like(await other.once(dataOps.iodStatus, {}), { openEntries: 0 });
});

test('the end of a session is acknowledged only when its last write has left the disk’s queue', async (t) => {
  const { stage, client } = await servingStage();
  const { disk } = stage.iodProcess.host;
  disk.hang();
  const late = client.start(dataOps.write, { handle: file, offset: 0 }, 'late');
  late.catch(() => undefined);
  await stage.pass(100);
  let isFenced = false;
  const fenced = stage.mgrProcess.call(() =>
    stage.mgr.ask(controlOps.fence, { session: session(7) }),
  );
  fenced.then(
    () => {
      isFenced = true;
    },
    () => undefined,
  );
  await stage.pass(1_000);
  t.false(isFenced);
  disk.mend();
  await stage.world.run({ until: () => isFenced });
  await stage.asMgr((mgr) => mgr.open(file, session(8), 3));
  await stage.pass(50);
  const next = await stage.connect({ session: 8 });
  await next.once(dataOps.write, { handle: file, offset: 0 }, 'new');
  t.is(await next.read({ handle: 1, offset: 0, length: 9 }), 'newe');
});

test('servers, wrong keys, other clusters and tokens are turned away and counted', async (t) => {
  const { stage, client } = await servingStage();
  const attempts = [
    { role: 'mgr' as const },
    { role: 'iod' as const },
    { key: noSecret },
    { session: 7, key: sessionKey(secret, session(8)) },
    { session: 0 },
    { cluster: 'another' },
  ];
  for (const attempt of attempts) await t.throwsAsync(stage.connect(attempt));
  const { refusedPeers, state } = await client.once(dataOps.iodStatus, {});
  t.true(refusedPeers >= attempts.length);
  t.is(state, 'SERVING');
});

test('a new connection of a session ends the old one', async (t) => {
  const { stage, client } = await servingStage();
  const newer = await stage.connect({ session: 7 });
  await stage.world.run({ until: () => !client.isConnected });
  await t.notThrowsAsync(newer.once(dataOps.read, read));
});

test('clients on the same host use the unix socket', async (t) => {
  const { stage } = await servingStage();
  const [address] = stage.mgr.addresses;
  t.is(address?.unixPath, '/data/iod.sock');
});
