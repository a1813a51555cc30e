/** Mounts that cache: what one has finished, the others show at once, whatever is killed meanwhile. */
import { chmod, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { until } from './cluster-fixture.ts';
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
  const progress = async (more: number): Promise<void> => {
    const enough = changes + more;
    await Promise.race([until(() => changes >= enough), work]);
  };
  await progress(30);
  for (const victim of [one.cluster.mgr, one.cluster.iod(1), one.cluster.mgr]) {
    await victim.kill();
    await victim.start();
    await progress(30);
  }
  stop.abort();
  await t.notThrowsAsync(work);
  t.true(looks > changes);
});

mountTest('a mount that is stopped holds others up for a moment only', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  await writeFile(one.path('f'), 'x');
  t.is((await stat(two.path('f'))).mode & 0o777, 0o644);
  process.kill(two.pid, 'SIGSTOP');
  try {
    await chmod(one.path('f'), 0o600);
    await writeFile(one.path('g'), 'y');
  } finally {
    process.kill(two.pid, 'SIGCONT');
  }
  t.is((await stat(two.path('f'))).mode & 0o777, 0o600);
  t.is((await stat(two.path('g'))).size, 1);
});
