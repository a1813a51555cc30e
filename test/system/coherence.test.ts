/** Mounts that cache: what one has finished, the others show at once, whatever is killed meanwhile. */
import { chmod, mkdir, readdir, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { killInTurn, until } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';

/** A name that leads to another file in each state; the file's inode number tells which it is. */
class Name {
  finished = 0;
  readonly targets: (number | undefined)[] = [];

  /** @returns what is wrong with a sight of the name that began when `since` was finished */
  wrongIn(since: number, seen: number | undefined): string | undefined {
    // The change that is under way may be seen or not.
    const possible = this.targets.slice(since, this.finished + 2);
    if (possible.includes(seen) || (since === 0 && seen === undefined)) return undefined;
    return `saw ${seen} where ${since} was finished: ${possible.join(', ')}`;
  }
}

async function inodeAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

mountTest('two mounts that are hammered never show what was over, whoever is killed', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const mounts = [one, two];
  const names = [new Name(), new Name(), new Name()];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  let changes = 0;
  let looks = 0;
  /** By the mounts in turn. */
  const writer = async (): Promise<void> => {
    for (let i = 0; !stop.signal.aborted; i++) {
      const at = i % names.length;
      const own = mounts[i % mounts.length] ?? one;
      const name = names[at] ?? new Name();
      const state = name.finished + 1;
      const path = own.path(`name-${at}`);
      if (state % 3 === 0) {
        name.targets[state] = undefined;
        await unlink(path);
      } else {
        const temporary = own.path(`new-${at}-${state}`);
        await writeFile(temporary, String(state));
        name.targets[state] = (await stat(temporary)).ino;
        await rename(temporary, path);
      }
      name.finished = state;
      changes++;
    }
  };
  const reader = async (own: Mounted): Promise<void> => {
    for (let i = 0; !stop.signal.aborted; i++) {
      const at = i % names.length;
      const name = names[at];
      const since = name?.finished ?? 0;
      const wrong = name?.wrongIn(since, await inodeAt(own.path(`name-${at}`)));
      if (wrong !== undefined) throw new Error(`name-${at}: ${wrong}`);
      if (i % 50 === 0) await readdir(own.directory);
      looks++;
    }
  };
  // No more at a time: a thread is left for whoever starts a daemon, for which the others wait.
  const work = Promise.all([writer(), reader(one), reader(two)]);
  await killInTurn(one.cluster, work, () => changes);
  stop.abort();
  await t.notThrowsAsync(work);
  t.true(looks > changes);
});

mountTest('a mount that is stopped holds others up for a moment only', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  await writeFile(one.path('f'), 'x');
  t.is((await stat(two.path('f'))).mode & 0o777, 0o644);
  t.deepEqual(await readdir(two.directory), ['f']);
  await t.throwsAsync(stat(two.path('g')), { code: 'ENOENT' });
  const file = await two.open(t, 'f', 'r');
  t.is((await file.stat()).mode & 0o777, 0o644);
  const looks: Promise<unknown>[] = [];
  process.kill(two.pid, 'SIGSTOP');
  try {
    await chmod(one.path('f'), 0o600);
    await writeFile(one.path('g'), 'y');
    // The kernel alone answers nothing any more.
    looks.push(stat(two.path('f')).then(({ mode }) => mode & 0o777));
    looks.push(file.stat().then(({ mode }) => mode & 0o777));
    looks.push(readdir(two.directory).then((names) => names.toSorted()));
    await rename(one.path('g'), one.path('h'));
    await rename(one.path('h'), one.path('g'));
  } finally {
    process.kill(two.pid, 'SIGCONT');
  }
  t.deepEqual(await Promise.all(looks), [0o600, 0o600, ['f', 'g']]);
  t.is((await stat(two.path('f'))).mode & 0o777, 0o600);
  t.is((await stat(two.path('g'))).size, 1);
});

/** How often the kernel of a mount has asked for these so far. */
async function questions({ metrics }: Mounted, operations: RegExp): Promise<number> {
  const text = await (await fetch(metrics ?? '')).text();
  const counts = text.matchAll(/^weftfs_mount_operation_\S+_count\{op="(\w+)"\S+ (\d+)$/gm);
  const asked = [...counts].filter(([, op = '']) => operations.test(op));
  return asked.reduce((sum, [, , count]) => sum + Number(count), 0);
}

mountTest('after a rest the kernel asks for a directory, and for nothing in it', async (t) => {
  const m = await Mounted.start(t, { iods: 1 }, ['--metrics', '0']);
  const names = Array.from({ length: 20 }, (_, i) => `file-${i}`);
  await mkdir(m.path('d'));
  for (const name of names) await writeFile(m.path('d', name), '');
  const look = () => Promise.all(names.map((name) => stat(m.path('d', name))));
  const rest = async (): Promise<void> => {
    const asked = await questions(m, /getAttr/);
    await until(async () => {
      await stat(m.path('d'));
      return (await questions(m, /getAttr/)) > asked;
    });
  };
  await t.notThrowsAsync(
    // At first files are looked at that were open a moment ago.
    until(async () => {
      await look();
      await rest();
      const before = await questions(m, /lookup|getAttr/);
      await look();
      // Of the directories on the way.
      return (await questions(m, /lookup|getAttr/)) <= before + 2;
    }),
  );
});

/** A program that keeps a directory open. @returns its names, read anew */
function lister(t: ExecutionContext, directory: string): () => Promise<readonly string[]> {
  const script =
    'opendir D, shift; $| = 1; while (<STDIN>) { rewinddir D; print "@{[readdir D]}\n" }';
  const perl = spawn('perl', ['-e', script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => perl.kill());
  const lines = createInterface(perl.stdout)[Symbol.asyncIterator]();
  return async () => {
    perl.stdin.write('\n');
    const { value } = (await lines.next()) as { readonly value: string };
    return value.split(' ').filter((name) => !name.startsWith('.'));
  };
}

const keptListing = async (t: ExecutionContext): Promise<void> => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2', ['--metrics', '0']);
  const directory = one.path('d');
  // The times of a directory do not tell whether it has changed.
  const untouch = () => utimes(directory, 1e9, 1e9);
  await mkdir(directory);
  await writeFile(one.path('d', 'first'), '');
  await untouch();
  await readdir(two.path('d'));
  const anew = (): Promise<readonly string[]> => readdir(two.path('d'));
  const listings = { again: anew, anew };
  const show = async (...names: readonly string[]): Promise<void> => {
    for (const [how, list] of Object.entries(listings)) {
      for (let i = 0; i < 3; i++) t.deepEqual((await list()).toSorted(), names, how);
    }
  };
  await until(async () => {
    // Of who has opened it while nothing was known of it the kernel keeps nothing.
    listings.again = lister(t, two.path('d'));
    await show('first');
    const before = await questions(two, /^readDirectory/);
    await show('first');
    return (await questions(two, /^readDirectory/)) === before;
  });
  const changes: readonly (readonly [() => Promise<void>, ...string[]])[] = [
    [() => writeFile(one.path('d', 'other'), ''), 'first', 'other'],
    [() => rename(one.path('d', 'other'), one.path('d', 'moved')), 'first', 'moved'],
    [() => writeFile(two.path('d', 'own'), ''), 'first', 'moved', 'own'],
    [() => unlink(one.path('d', 'first')), 'moved', 'own'],
  ];
  for (const [change, ...names] of changes) {
    await change();
    await untouch();
    await show(...names);
  }
};

mountTest('what a kernel keeps of a listing shows changes elsewhere at once', keptListing, [
  'perl',
]);
