import test from 'ava';
import type { Disk, DiskFile } from '../../../shared/runtime/runtime.ts';
import type { ProcessOptions, SimProcess } from './process.ts';
import { World } from './world.ts';

interface Machine {
  readonly world: World;
  readonly process: SimProcess;
  /** Does something on the disk and runs the world until it is done. */
  readonly on: <T>(act: (disk: Disk) => Promise<T>) => Promise<T>;
}

function machine(seed = 1, options: Partial<ProcessOptions> = {}): Machine {
  const world = new World({ seed });
  const process = world.process('p', { host: world.host('a'), main: () => undefined, ...options });
  return { world, process, on: (act) => world.complete(process.call(({ disk }) => act(disk))) };
}

async function writeFile(disk: Disk, path: string, text: string): Promise<DiskFile> {
  const file = await disk.open(path, 'create');
  await file.write([Buffer.from(text)], 0);
  return file;
}

async function readFile(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  const bytes = Buffer.alloc((await file.stat()).sizeBytes);
  await file.read([bytes], 0);
  await file.close();
  return bytes.toString();
}

test('files are written, read, listed, renamed and removed', async (t) => {
  const { on } = machine();
  await on(async (disk) => {
    await disk.makeDirectory('/d/e');
    await disk.makeDirectory('/d/e');
    const file = await disk.open('/d/f', 'exclusive');
    await file.write([Buffer.from('he'), Buffer.alloc(0), Buffer.from('llo')], 0);
    await file.write([Buffer.from('!')], 10_000);
    t.like(await file.stat(), { kind: 'file', sizeBytes: 10_001, allocatedBytes: 8192 });
    const into = [Buffer.alloc(3), Buffer.alloc(4)];
    t.is(await file.read(into, 0), 7);
    t.deepEqual(into.map(String), ['hel', 'lo\0\0']);
    t.is(await file.read([Buffer.alloc(9)], 9_999), 2);
    await file.truncate(5);
    await file.close();
    await file.close();
    t.deepEqual((await disk.list('/d')).toSorted(), ['e', 'f']);
    await disk.rename('/d/f', '/d/e/g');
    t.is(await readFile(disk, '/d/e/g'), 'hello');
    t.is(await disk.stat('/d/f'), undefined);
    t.like(await disk.stat('/d/e'), { kind: 'directory' });
    await disk.remove('/d/e/g');
    await disk.remove('/d/e');
    t.deepEqual(await disk.list('/d'), []);
  });
});

test('operations fail as those of a system do', async (t) => {
  const { on } = machine(1, { descriptorsMax: 3 });
  await on(async (disk) => {
    await disk.makeDirectory('/d/e');
    await disk.makeDirectory('/other');
    const file = await writeFile(disk, '/f', 'x');
    const reader = await disk.open('/f', 'read');
    const cases: [() => Promise<unknown>, string][] = [
      [() => disk.open('/none', 'read'), 'ENOENT'],
      [() => disk.open('/none', 'write'), 'ENOENT'],
      [() => disk.open('/none/f', 'create'), 'ENOENT'],
      [() => disk.open('/f/g', 'create'), 'ENOTDIR'],
      [() => disk.open('/f', 'exclusive'), 'EEXIST'],
      [() => disk.open('/d', 'write'), 'EISDIR'],
      [() => disk.list('/none'), 'ENOENT'],
      [() => disk.list('/f'), 'ENOTDIR'],
      [() => disk.remove('/none'), 'ENOENT'],
      [() => disk.remove('/d'), 'ENOTEMPTY'],
      [() => disk.rename('/none', '/x'), 'ENOENT'],
      [() => disk.rename('/f', '/d'), 'EISDIR'],
      [() => disk.rename('/d', '/f'), 'ENOTDIR'],
      [() => disk.rename('/other', '/d'), 'ENOTEMPTY'],
      [() => disk.rename('/d', '/d/e/f'), 'EINVAL'],
      [() => disk.open(`/${'x'.repeat(256)}`, 'create'), 'ENAMETOOLONG'],
      [async () => reader.write([Buffer.from('x')], 0), 'EBADF'],
      [async () => file.write([Buffer.from('xx')], Number.MAX_SAFE_INTEGER - 1), 'EFBIG'],
    ];
    for (const [act, code] of cases) await t.throwsAsync(act, { code }, String(act));
    await disk.open('/f', 'read');
    await t.throwsAsync(disk.open('/f', 'read'), { code: 'EMFILE' });
    await file.close();
    await t.throwsAsync(file.stat(), { code: 'EBADF' });
    await t.notThrowsAsync(disk.open('/f', 'read'));
  });
});

test('a removed file is there for those who have it open, and its room is free afterwards', async (t) => {
  const { on } = machine();
  await on(async (disk) => {
    const full = await disk.space('/');
    const file = await writeFile(disk, '/f', 'still here');
    t.like(await disk.space('/'), {
      freeBytes: full.freeBytes - 4096,
      freeFiles: full.freeFiles - 1,
    });
    await disk.remove('/f');
    const bytes = Buffer.alloc(10);
    await file.read([bytes], 0);
    t.is(bytes.toString(), 'still here');
    t.like(await disk.space('/'), { freeFiles: full.freeFiles - 1 });
    await file.close();
    t.deepEqual(await disk.space('/'), full);
  });
});

test('a full disk stores what has room and says how much that was (SCENARIOS 214)', async (t) => {
  const { world, on } = machine();
  world.host('a').disk.capacityBytes = 3 * 4096;
  world.host('a').disk.filesMax = 2;
  await on(async (disk) => {
    const file = await writeFile(disk, '/f', 'x');
    const write = file.write([Buffer.alloc(20_000, 'y')], 0);
    await t.throwsAsync(async () => write, { code: 'ENOSPC' });
    t.is((await file.stat()).sizeBytes, 3 * 4096);
    await t.notThrowsAsync(
      async () => file.write([Buffer.alloc(4096)], 0),
      'an overwrite needs no room',
    );
    await disk.open('/g', 'create');
    await t.throwsAsync(disk.open('/h', 'create'), { code: 'ENOSPC' });
    await file.truncate(0);
    await t.notThrowsAsync(async () => file.write([Buffer.alloc(4096)], 0));
  });
});

async function outcomeOf(file: DiskFile): Promise<string> {
  try {
    await file.write([Buffer.alloc(100)], 0);
    return 'ok';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

test('an operation fails at its n-th turn, as often as it was told, where it was told', async (t) => {
  const { world, on } = machine();
  await on(async (disk) => {
    await disk.makeDirectory('/data');
    const file = await writeFile(disk, '/data/f', 'x');
    const other = await writeFile(disk, '/other', 'x');
    world
      .host('a')
      .disk.fail({ operation: 'write', errno: 'EIO', from: 2, times: 2, path: '/data' });
    const outcomes = [
      await outcomeOf(file),
      await outcomeOf(other),
      await outcomeOf(file),
      await outcomeOf(file),
      await outcomeOf(file),
    ];
    t.deepEqual(outcomes, ['ok', 'ok', 'EIO', 'EIO', 'ok']);
    world.host('a').disk.fail({ errno: 'EROFS', times: Infinity });
    await t.throwsAsync(disk.rename('/other', '/x'), { code: 'EROFS' });
    await t.throwsAsync(file.sync(), { code: 'EROFS' });
    await t.notThrowsAsync(async () => file.read([Buffer.alloc(1)], 0));
    world.host('a').disk.mend();
    await t.notThrowsAsync(file.sync());
  });
});

test('a hanging disk answers nothing until it is mended (SCENARIOS 225)', async (t) => {
  const { world, process } = machine();
  const ended: string[] = [];
  const { disk } = world.host('a');
  disk.hang();
  void process.call(async (runtime) => {
    await runtime.disk.stat('/');
    ended.push('stat');
  });
  await world.run({ untilMs: 100_000 });
  t.deepEqual(ended, []);
  disk.mend();
  await world.run({ untilMs: 100_010 });
  t.deepEqual(ended, ['stat']);
});

test('a slow disk takes its time', async (t) => {
  const { world, on } = machine();
  world.host('a').disk.latencyMs = [1000, 1000];
  await on((disk) => disk.stat('/'));
  t.true(world.nowMs >= 1000);
});

test('a directory has one holder, who is named; its death frees it (SCENARIOS 25)', async (t) => {
  const { world, process, on } = machine();
  const second = world.process('second', { host: world.host('a'), main: () => undefined });
  const lock = () => world.complete(second.call(({ disk }) => disk.lock('/d', 'second')));
  await on(async (disk) => {
    await disk.makeDirectory('/d');
    await disk.lock('/d', 'iod1 pid 7');
  });
  await t.throwsAsync(lock(), { code: 'EBUSY', message: /iod1 pid 7/ });
  t.is(world.host('a').disk.content('/d/lock')?.toString(), 'iod1 pid 7\n');
  process.pause();
  await t.throwsAsync(lock(), { code: 'EBUSY' }, 'a stopped process holds it still');
  process.kill();
  const next = await lock();
  process.start();
  await t.throwsAsync(
    on((disk) => disk.lock('/d', 'again')),
    { code: 'EBUSY', message: /second/ },
  );
  await world.complete(second.call(() => next.release()));
  await t.notThrowsAsync(on((disk) => disk.lock('/d', 'again')));
});

test('a killed process loses nothing that it wrote', async (t) => {
  const { world, process, on } = machine();
  await on(async (disk) => {
    await disk.makeDirectory('/d');
    await writeFile(disk, '/d/f', 'unsynced');
  });
  process.restart();
  t.is(await on((disk) => readFile(disk, '/d/f')), 'unsynced');
  t.is(world.host('a').disk.content('/d/f')?.toString(), 'unsynced');
});

test('a write that runs when its process is killed happens or does not', async (t) => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { world, process, on } = machine(seed);
    const file = await on((disk) => writeFile(disk, '/f', 'old'));
    process.call(() => file.write([Buffer.from('new')], 0)).catch(() => undefined);
    await world.run({ steps: 1 });
    process.kill();
    await world.run({ untilMs: 100 });
    outcomes.add(world.host('a').disk.content('/f')?.toString() ?? '');
  }
  t.deepEqual([...outcomes].toSorted(), ['new', 'old']);
});

test('what a process had asked for when it was killed is not left with it', async (t) => {
  for (let seed = 0; seed < 30; seed++) {
    const { world, process, on } = machine(seed);
    await on((disk) => disk.makeDirectory('/d'));
    const full = await on((disk) => disk.space('/'));
    process.call(({ disk }) => disk.lock('/d', 'dead')).catch(() => undefined);
    process.call(({ disk }) => writeFile(disk, '/f', 'x')).catch(() => undefined);
    await world.run({ steps: 2 });
    process.restart();
    await world.run({ untilMs: world.nowMs + 10 });
    await t.notThrowsAsync(on((disk) => disk.lock('/d', 'next')));
    await on(async (disk) => {
      for (const path of ['/f', '/d/lock']) if (await disk.stat(path)) await disk.remove(path);
    });
    t.deepEqual(await on((disk) => disk.space('/')), full);
  }
});

test('a buffer that is changed while the disk writes it fails the run', async (t) => {
  const { world, process } = machine();
  process
    .call(async ({ disk }) => {
      const file = await disk.open('/f', 'create');
      const buffer = Buffer.from('before');
      const write = file.write([buffer], 0);
      buffer.write('after');
      await write;
    })
    .catch(() => undefined);
  await t.throwsAsync(world.run({ untilMs: 100 }), {
    message: /ContractBreach: a buffer.*the disk/,
  });
});
