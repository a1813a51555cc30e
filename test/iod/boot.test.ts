import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { boot } from '../../iod/boot.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

test('every start is a life of its own, remembered until the mgr has confirmed a later one', async (t) => {
  const path = await fsp.mkdtemp(join(tmpdir(), 'weft-boot-'));
  t.teardown(() => fsp.rm(path, { recursive: true, force: true }));
  const start = async (isConfirmed: boolean): Promise<readonly string[]> => {
    const { identity, change, lock } = await boot(runtime, { path, name: 'iod0', holder: 'us' });
    if (isConfirmed) await change({ lives: identity.lives.slice(-1) });
    await lock.release();
    return identity.lives;
  };
  const first = await start(true);
  t.is(first.length, 1);
  const all = [...first];
  for (let starts = 0; starts < limits.unconfirmedLivesMax; starts++) {
    const lives = await start(false);
    t.deepEqual(lives.slice(0, -1), all);
    all.push(...lives.slice(-1));
  }
  t.is(new Set(all).size, limits.unconfirmedLivesMax + 1);
  t.deepEqual(await start(true), all, 'no more than that: the last one goes on');
  t.deepEqual((await start(false)).slice(0, -1), all.slice(-1));
});

/** An identity on a disk whose renames fail while they are told to. */
async function openHome(t: ExecutionContext) {
  const path = await fsp.mkdtemp(join(tmpdir(), 'weft-boot-'));
  t.teardown(() => fsp.rm(path, { recursive: true, force: true }));
  const disk = { fails: false };
  const home = await boot(
    {
      ...runtime,
      disk: {
        ...runtime.disk,
        rename: (from, to) =>
          disk.fails
            ? Promise.reject(new FsError('EIO', { what: 'bad sector' }))
            : runtime.disk.rename(from, to),
      },
    },
    { path, name: 'iod0', holder: 'us' },
  );
  const stored = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await fsp.readFile(join(path, 'weft.json'), 'utf8')) as Record<string, unknown>;
  return { home, disk, stored };
}

test('what could not be stored of an identity is not in force, and can be stored later', async (t) => {
  const { home, disk, stored } = await openHome(t);
  t.teardown(() => home.lock.release());
  disk.fails = true;
  await t.throwsAsync(home.change({ cluster: 'c', port: 7 }), { code: 'EIO' });
  t.is(home.identity.cluster, '');
  disk.fails = false;
  await Promise.all([home.change({ cluster: 'd' }), home.change({ generation: 9 })]);
  t.like(home.identity, { cluster: 'd', generation: 9, port: 0 });
  t.like(await stored(), { cluster: 'd', generation: 9, port: 0 });
});

test("once the lock is given back the identity is somebody else's: nothing is written any more", async (t) => {
  const { home, stored } = await openHome(t);
  const changing = home.change({ port: 5 });
  await home.lock.release();
  await changing;
  t.like(await stored(), { port: 5 });
  await t.throwsAsync(home.change({ port: 6 }), { code: 'ECANCELED' });
  t.like(await stored(), { port: 5 });
});
