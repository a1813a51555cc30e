/** Small files that mounts read without a word to the mgr: they are read as on a local disk. */
import { type FileHandle, mkdir, open, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { killInTurn } from './cluster-fixture.ts';
import { failure, Mounted, mountTest } from './mounted.ts';

/** What becomes of a file that a program of the first directory has open. */
const changes: readonly ((path: (name: string) => string, name: string) => Promise<void>)[] = [
  (path, name) => unlink(path(name)),
  async (path, name) => {
    await writeFile(path(`${name}.new`), `another ${name}`);
    await rename(path(`${name}.new`), path(name));
  },
  (path, name) => writeFile(path(name), `again ${name}, and longer`),
  (path, name) => writeFile(path(name), '', { flag: 'w' }),
  (path, name) => writeFile(path(name), ' and on', { flag: 'a' }),
  (path, name) => writeFile(path(name), 'x'.repeat(100_000)),
  (path, name) => rename(path(name), path(`${name}.moved`)),
  async (path, name) => {
    await rename(path(name), path(`${name}.moved`));
    await unlink(path(`${name}.moved`));
  },
];

async function textOf(file: FileHandle): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(200_000), 0, 200_000, 0);
  return buffer.toString('latin1', 0, bytesRead);
}

/** Opens files in one directory, has them changed by way of another, and reads them. */
async function readChanged(
  own: string,
  others: readonly string[],
  meanwhile: readonly (() => Promise<unknown>)[] = [],
): Promise<string[]> {
  const names = changes.flatMap((_, i) => others.map((_, j) => `f-${i}-${j}`));
  for (const [i, name] of names.entries()) {
    await writeFile(join(others[i % others.length] ?? own, name), `text of ${name}`);
  }
  // Then there is a right to each, when all have been given back.
  const files: FileHandle[] = [];
  const seen: string[] = [];
  try {
    for (const name of names) {
      const first = await open(join(own, name), 'r');
      seen.push(await textOf(first));
      await first.close();
    }
    for (const name of names) files.push(await open(join(own, name), 'r'));
    const change = async (): Promise<void> => {
      for (const [i, name] of names.entries()) {
        const at = others[i % others.length] ?? own;
        await changes[Math.floor(i / others.length)]?.((one) => join(at, one), name);
      }
    };
    // No more at a time: a thread is left for whoever starts a daemon, for which the others wait.
    const changing = change();
    for (const step of meanwhile) await step();
    await changing;
    for (const file of files) {
      const { nlink, size } = await file.stat();
      seen.push(`${nlink} ${size} ${await textOf(file)}`);
    }
  } finally {
    for (const file of files) await file.close();
  }
  return seen;
}

mountTest(
  'what a program has open is changed here and elsewhere, and read as on a local disk',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    for (let round = 0; round < 4; round++) {
      const local = join(one.cluster.directory, `local-${round}`);
      await mkdir(local);
      await mkdir(one.path(`${round}`));
      const others = [one.path(`${round}`), two.path(`${round}`)];
      const seen = await readChanged(one.path(`${round}`), others);
      t.deepEqual(seen, await readChanged(local, [local, local]), `round ${round}`);
    }
  },
);

mountTest('so it is when the mgr is killed meanwhile, and started again', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const { mgr } = one.cluster;
  for (let round = 0; round < 2; round++) {
    const local = join(one.cluster.directory, `local-${round}`);
    await mkdir(local);
    await mkdir(one.path(`${round}`));
    const others = [one.path(`${round}`), two.path(`${round}`)];
    const steps = [() => mgr.kill(), () => mgr.start()];
    const seen = await readChanged(one.path(`${round}`), others, steps);
    t.deepEqual(seen, await readChanged(local, [local, local]), `round ${round}`);
  }
});

mountTest('who has one version of a file open reads that one, whoever is killed', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const mounts = [one, two];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const names = ['a', 'b', 'c'];
  const texts = new Map<number, string>();
  let versions = 0;
  let reads = 0;
  const replace = async (name: string): Promise<void> => {
    const mount = mounts[versions % 2] ?? one;
    const temporary = mount.path(`new-${++versions}`);
    const text = `version ${versions} of ${name}`;
    await writeFile(temporary, text);
    texts.set((await stat(temporary)).ino, text);
    if (versions % 5 === 0) await unlink(mount.path(name));
    await rename(temporary, mount.path(name));
  };
  for (const name of names) await replace(name);
  const writer = async (): Promise<void> => {
    while (!stop.signal.aborted) await replace(names[versions % names.length] ?? 'a');
  };
  const reader = async (mount: Mounted): Promise<void> => {
    const held: FileHandle[] = [];
    try {
      while (!stop.signal.aborted) {
        const file = await open(mount.path(names[reads % names.length] ?? 'a'), 'r').catch(
          (error: unknown) => {
            if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          },
        );
        if (file === undefined) continue;
        held.push(file);
        if (held.length < 5) continue;
        const oldest = held.shift() ?? file;
        const { ino } = await oldest.stat();
        if ((await textOf(oldest)) !== texts.get(ino)) throw new Error(`${ino} is another`);
        await oldest.close();
        reads++;
      }
    } finally {
      for (const file of held) await file.close();
    }
  };
  const work = Promise.all([writer(), reader(one), reader(two)]);
  await killInTurn(one.cluster, work, () => Math.min(versions, reads));
  stop.abort();
  await t.notThrowsAsync(work);
});

mountTest(
  'a file without a name that is opened anew is read when it was closed before',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    for (const mount of [one, two]) {
      await writeFile(two.path('f'), 'still here');
      const first = await one.open(t, 'f', 'r');
      await unlink(mount.path('f'));
      t.is((await first.stat()).nlink, 0);
      const second = await open(`/proc/self/fd/${first.fd}`, 'r');
      t.teardown(() => second.close());
      await first.close();
      // What it has given back the mgr has heard.
      t.is(await failure(stat(two.path('f'))), 'ENOENT');
      for (let i = 0; i < 20; i++) {
        t.is(await textOf(second), 'still here');
        await writeFile(one.path(`g${i}`), '');
      }
    }
  },
);
