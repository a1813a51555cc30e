import test from 'ava';
import { SpaceReserve } from '../../mgr/space-reserve.ts';
import { limits } from '../../shared/limits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { overriding } from '../sim/sabotage.ts';
import { World } from '../sim/runtime/world.ts';
import { at, MgrWorld } from './mgr-world.ts';

const { read, create } = openFlags;
const reserveBytes = limits.storeReserveBytes;
const full = { code: 'ENOSPC', message: /disk is full/ };

/** A process with a disk of that size, all of it free until a test says otherwise. */
async function keeper({ totalBytes = 10 * reserveBytes } = {}) {
  const world = new World({ seed: 1 });
  const host = world.host('m');
  const process = world.process('mgr', { host, main: () => undefined });
  let freeBytes = totalBytes;
  const space = async () => ({ totalBytes, freeBytes, totalFiles: 1, freeFiles: 1, device: 1 });
  const run = <T>(act: (runtime: Runtime) => T | Promise<T>): Promise<T> =>
    world.complete(process.call(act));
  const open = () =>
    run(async (runtime) => {
      const disk = overriding(runtime.disk, { space });
      const reserve = new SpaceReserve({ ...runtime, disk }, '/data');
      await reserve.open();
      return reserve;
    });
  await run(({ disk }) => disk.makeDirectory('/data'));
  return {
    reserve: await open(),
    open,
    run,
    setFree: (bytes: number): void => {
      freeBytes = bytes;
    },
    pass: (ms: number) => world.run({ untilMs: world.nowMs + ms }),
    keptBytes: () => host.disk.content('/data/reserve')?.length ?? 0,
  };
}

test('room is kept, given up when the disk is full, and taken back when there is some', async (t) => {
  const { reserve, run, pass, setFree, keptBytes } = await keeper();
  t.true(reserve.isLeft);
  t.is(keptBytes(), reserveBytes);
  setFree(0);
  t.true(await run(() => reserve.runOut()), 'another attempt may find room');
  t.false(reserve.isLeft);
  await pass(100);
  t.is(keptBytes(), 0);
  t.false(await run(() => reserve.runOut()), 'there is no more to be had');
  await pass(limits.storeReserveRetryMs * 3);
  t.false(reserve.isLeft, 'what was given up is still free, and no more');
  setFree(2 * reserveBytes);
  await pass(limits.storeReserveRetryMs);
  t.true(reserve.isLeft);
  t.is(keptBytes(), reserveBytes);
});

test('a start on a full disk gives it up at once, any other finds it', async (t) => {
  const { open, setFree, keptBytes } = await keeper();
  t.true((await open()).isLeft);
  setFree(0);
  t.false((await open()).isLeft);
  t.is(keptBytes(), 0);
});

test('a disk without room for it at the start is a full one', async (t) => {
  const { open, run, setFree, keptBytes } = await keeper();
  await run(({ disk }) => disk.remove('/data/reserve'));
  setFree(reserveBytes);
  t.false((await open()).isLeft);
  t.is(keptBytes(), 0);
});

test('a disk that is too small does without, and is full when a commit finds it so', async (t) => {
  const { reserve, run, keptBytes } = await keeper({ totalBytes: 3 * reserveBytes });
  t.true(reserve.isLeft);
  t.is(keptBytes(), 0);
  t.false(await run(() => reserve.runOut()));
  t.true(reserve.isLeft);
});

test('on a full disk files are opened, read, closed and removed, and nothing new is made', async (t) => {
  const world = new MgrWorld(1);
  const before = await world.client();
  const { attr } = await world.complete(before.create('/f'));
  await world.complete(before.close(attr.handle, rights.read | rights.write));
  world.room.isLeft = false;
  const client = await world.client();
  t.is((await world.complete(client.open('/f', read))).attr.handle, attr.handle);
  await world.complete(client.open('/f', read | create));
  await t.throwsAsync(world.complete(client.create('/g')), full);
  await t.throwsAsync(world.complete(client.mkdir('/d')), full);
  const link = { from: at('/f'), to: at('/g'), follow: false };
  await t.throwsAsync(world.complete(client.call(nameOps.link, link)), full);
  for (let times = 0; times < 2; times++) {
    await world.complete(client.call(fileOps.close, { ...closing, handle: attr.handle }));
  }
  await world.complete(client.unlink('/f'));
  await t.throwsAsync(world.complete(client.stat('/f')), { code: 'ENOENT' });
  world.room.isLeft = true;
  await t.notThrowsAsync(world.complete(client.create('/g')));
});

const closing = { rights: rights.read, size: undefined, modified: undefined, mayHaveHoles: false };
