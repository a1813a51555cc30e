/** The bytes of files: what clients write and read, what the mgr cuts, and what a disk does to it. */
import test from 'ava';
import { limits } from '../../../shared/limits.ts';
import type { Handle, SessionId } from '../../../shared/units.ts';
import { controlOps, dataOps } from '../../../shared/wire/iod-ops.ts';
import { type BareClient, servingStage } from '../stage.ts';

const handle = (value: number): Handle => value as Handle;
const file = handle(1);
const read = { handle: file, offset: 0, length: 9 };

test('a file is admitted, written, synced and read; stat tells its length to the mgr', async (t) => {
  const { stage, client, cap } = await servingStage();
  await client.once(dataOps.admit, { cap });
  const { verifier } = await client.once(dataOps.write, { handle: file, offset: 3 }, 'bytes');
  t.deepEqual(await client.once(dataOps.sync, { handle: file }), { verifier });
  t.is(await client.read({ handle: 1, offset: 0, length: 100 }), '\0\0\0bytes');
  t.is(await client.read({ handle: 1, offset: 6, length: 1 }), 'e');
  t.is(await client.read({ handle: 1, offset: 50, length: 10 }), '');
  const { objects } = await stage.asMgr((mgr) =>
    mgr.ask(controlOps.stat, { handles: [file, handle(2)] }),
  );
  t.like(objects[0], { handle: file, length: 8, allocated: 4096, exists: true });
  const nothing = { length: 0, allocated: 0, exists: false, modified: undefined };
  t.deepEqual(objects[1], { handle: handle(2), ...nothing });
});

test('who may read a file is told where it has bytes, and where holes', async (t) => {
  const { client, cap } = await servingStage();
  const seek = (offset: number, wanted: 'data' | 'hole') =>
    client.once(dataOps.seek, { handle: file, offset, wanted });
  await t.throwsAsync(client.once(dataOps.seek, { handle: handle(2), offset: 0, wanted: 'data' }), {
    code: 'ESTALE',
  });
  await client.once(dataOps.admit, { cap });
  t.deepEqual(await seek(0, 'data'), { found: false, offset: undefined }, 'nothing was written');
  t.deepEqual(await seek(5, 'hole'), { found: true, offset: 5 });
  await client.once(dataOps.write, { handle: file, offset: 10_000 }, 'bytes');
  t.deepEqual(await seek(0, 'data'), { found: true, offset: 8192 });
  t.deepEqual(await seek(0, 'hole'), { found: true, offset: 0 });
  t.deepEqual(await seek(9000, 'hole'), { found: true, offset: 10_005 });
});

test('truncate and remove of the mgr are done', async (t) => {
  const { stage, client } = await servingStage();
  await client.once(dataOps.write, { handle: file, offset: 0 }, 'abcdef');
  await stage.asMgr((mgr) => mgr.ask(controlOps.truncate, { handle: file, length: 2 }));
  t.is(await client.read(read as never), 'ab');
  await stage.asMgr((mgr) => mgr.ask(controlOps.remove, { handles: [file, handle(2)] }));
  t.is(await client.read(read as never), '');
});

test('a write that would end beyond the largest file is EFBIG', async (t) => {
  const { client } = await servingStage();
  const offset = limits.fileBytesMax - 2;
  await t.throwsAsync(client.once(dataOps.write, { handle: file, offset }, 'abc'), {
    code: 'EFBIG',
  });
});

/** As many as one client may have under way, and three more, while the disk hangs. @returns those refused */
async function refusedOf(bytesEach: number, begin: (client: BareClient) => Promise<unknown>) {
  const { stage, client } = await servingStage();
  await client.once(dataOps.write, { handle: file, offset: 10_000 }, 'x');
  const count = limits.readBytesPerPeerMax / bytesEach + 3;
  const { disk } = stage.iodProcess.host;
  disk.hang();
  const settled = Promise.allSettled(Array.from({ length: count }, () => begin(client)));
  await stage.pass(100);
  disk.mend();
  const results = await stage.world.complete(settled);
  await stage.world.complete(begin(client));
  return results.filter((result) => result.status === 'rejected');
}

test('reads and searches beyond what one client may have under way are told to come back', async (t) => {
  const length = limits.payloadBytesMax;
  const reads = refusedOf(length, (client) => client.start(dataOps.read, { ...read, length }));
  const seek = { handle: file, offset: 0, wanted: 'data' } as const;
  const seeks = refusedOf(limits.transferBytes, (client) => client.start(dataOps.seek, seek));
  for (const refused of [await reads, await seeks]) {
    t.is(refused.length, 3);
    for (const one of refused) t.like(one, { reason: { code: 'EAGAIN', weftCode: 'WEFT_E_BUSY' } });
  }
});

test('a failing disk fails the call, not the iod; a full one goes on reading', async (t) => {
  const { stage, client } = await servingStage();
  await client.once(dataOps.write, { handle: file, offset: 0 }, 'before');
  const { disk } = stage.iodProcess.host;
  disk.fail({ operation: 'write', errno: 'EIO', path: '/objects/' });
  await t.throwsAsync(client.once(dataOps.write, { handle: file, offset: 0 }, 'x'), {
    code: 'EIO',
    message: /disk|write of object 1/,
  });
  disk.capacityBytes = 0;
  await t.throwsAsync(client.once(dataOps.write, { handle: file, offset: 2 ** 20 }, 'x'), {
    code: 'ENOSPC',
  });
  await t.notThrowsAsync(client.once(dataOps.read, read));
  disk.capacityBytes = 2 ** 40;
  await t.notThrowsAsync(client.once(dataOps.write, { handle: file, offset: 2 ** 20 }, 'x'));
});

test('the verifier stays over a restart of the process, and changes with a loss of power', async (t) => {
  const { stage, client } = await servingStage();
  const verifier = async (): Promise<number> =>
    (await client.call(dataOps.sync, { handle: file })).verifier;
  const first = await verifier();
  stage.iodProcess.restart();
  await stage.untilServing(2);
  t.is(await verifier(), first);
  stage.iodProcess.host.powerLoss();
  stage.iodProcess.host.powerOn();
  stage.iodProcess.start();
  await stage.untilServing(3);
  t.not(await verifier(), first);
});

test('after a failed sync the verifier is another one, also after a restart', async (t) => {
  const { stage, client } = await servingStage();
  const { verifier } = await client.call(dataOps.write, { handle: file, offset: 0 }, 'bytes');
  stage.iodProcess.host.disk.fail({ operation: 'sync', errno: 'EIO', path: '/objects/' });
  await t.throwsAsync(client.once(dataOps.sync, { handle: file }), { code: 'EIO' });
  const second = await client.call(dataOps.sync, { handle: file });
  t.not(second.verifier, verifier);
  stage.iodProcess.restart();
  await stage.untilServing(2);
  t.deepEqual(await client.call(dataOps.sync, { handle: file }), second);
});

/** A second file that the client may read. */
async function withSource(rightsThere: number, seed = 1) {
  const { stage, client, cap } = await servingStage({ seed });
  const from = await stage.asMgr((mgr) => mgr.open(handle(2), 7 as SessionId, rightsThere));
  const copy = (fromOffset: number, offset: number, length: number) =>
    client.once(dataOps.copy, { from, fromOffset, handle: file, offset, length });
  await client.once(dataOps.admit, { cap });
  return { stage, client, from, copy };
}

test('bytes of another object are copied, and zeros where it has none', async (t) => {
  const { client, from, copy } = await withSource(3);
  await client.once(dataOps.admit, { cap: from });
  await client.once(dataOps.write, { handle: handle(2), offset: 2 }, 'abcdef');
  await client.once(dataOps.write, { handle: file, offset: 0 }, 'xxxxxxxxxxxx');
  const { verifier } = await copy(4, 1, 3);
  t.is(await client.read({ handle: 1, offset: 0, length: 100 }), 'xcdexxxxxxxx');
  t.deepEqual(await client.once(dataOps.sync, { handle: file }), { verifier });
  await copy(6, 8, 6);
  t.is(await client.read({ handle: 1, offset: 0, length: 100 }), 'xcdexxxxef\0\0\0\0');
  await copy(500, 20, 2);
  t.is(await client.read({ handle: 1, offset: 14, length: 100 }), '\0'.repeat(8));
  // Its memory is used again.
  const length = 4096;
  await client.once(dataOps.write, { handle: handle(2), offset: 0 }, 'x'.repeat(length));
  await copy(0, 0, length);
  await copy(length, 0, length);
  t.is(await client.read({ handle: 1, offset: 0, length }), '\0'.repeat(length));
});

test('who copies may read the one and write the other; the cap that he brings is enough for the first', async (t) => {
  const { stage, client, from, copy } = await withSource(2);
  await t.throwsAsync(copy(0, 0, 1), { code: 'EACCES' });
  const readable = await stage.asMgr((mgr) => mgr.open(handle(3), 7 as SessionId, 1));
  const wish = { fromOffset: 0, offset: 0, length: 1 };
  await client.once(dataOps.copy, { ...wish, from: readable, handle: file });
  const onto = client.once(dataOps.copy, { ...wish, from: readable, handle: handle(3) });
  await t.throwsAsync(onto, { code: 'EACCES' });
  const forged = { ...readable, signature: from.signature };
  await t.throwsAsync(client.once(dataOps.copy, { ...wish, from: forged, handle: file }), {
    code: 'EACCES',
  });
});

test('a copy keeps its place among the writes of the object', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const { stage, client, from, copy } = await withSource(3, seed);
    await client.once(dataOps.admit, { cap: from });
    await client.once(dataOps.write, { handle: handle(2), offset: 0 }, 'old');
    await client.once(dataOps.write, { handle: file, offset: 0 }, 'what was there');
    const both = Promise.all([
      client.start(dataOps.copy, { from, fromOffset: 0, handle: file, offset: 0, length: 3 }),
      client.start(dataOps.write, { handle: file, offset: 0 }, 'new'),
    ]);
    await stage.world.complete(both);
    t.is(await client.read({ handle: 1, offset: 0, length: 3 }), 'new', `seed ${seed}`);
    await copy(0, 0, 3);
    t.is(await client.read({ handle: 1, offset: 0, length: 3 }), 'old');
  }
});
