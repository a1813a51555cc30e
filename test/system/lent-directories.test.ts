/** New directories are lent to the mount that makes them; others see them as if they were not (decision 21). */
import {
  chmod,
  chown,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { killInTurn, until } from './cluster-fixture.ts';
import { failure, Mounted, mountTest } from './mounted.ts';
import { treeOf } from './tree-facts.ts';

/** A small source tree, with what a tar can hold. */
async function makeTree(directory: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const at = join(directory, `d${i % 5}`, i % 2 === 0 ? 'deep/er' : 'flat');
    await mkdir(at, { recursive: true });
    const file = join(at, `file-${i}`);
    await writeFile(file, `${i} `.repeat(i * i * 10));
    await chmod(file, 0o600 + (i % 8) * 8);
    await chown(file, i % 3, i % 4);
    await symlink(`file-${i}`, join(at, `link-${i}`));
    await utimes(file, 1, 1_700_000_000 + i);
  }
  await mkdir(join(directory, 'empty'));
  await chmod(join(directory, 'empty'), 0o2770);
  await link(join(directory, 'd0/deep/er/file-0'), join(directory, 'd1/hard'));
  // A tar keeps whole seconds.
  const all = await readdir(directory, { recursive: true, withFileTypes: true });
  const directories = all.filter((entry) => entry.isDirectory());
  for (const { parentPath, name } of directories)
    await utimes(join(parentPath, name), 1, 1_600_000_000);
}

mountTest(
  'a tree is unpacked while another mount looks: what is finished it sees at once',
  async (t) => {
    const one = await Mounted.start(t, { iods: 2 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    const from = join(one.cluster.directory, 'from');
    await mkdir(from);
    await makeTree(from);
    await one.run('tar', '-cf', join(one.cluster.directory, 'tree.tar'), '-C', from, '.');
    const expected = await treeOf(from);
    for (let round = 0; round < 3; round++) {
      const to = `copy-${round}`;
      await mkdir(one.path(to));
      const stop = new AbortController();
      const look = async (): Promise<void> => {
        // Nothing of it fails: what is listed is there, whole or on its way.
        while (!stop.signal.aborted) {
          await two.run('find', to, '-type', 'f', '-exec', 'cat', '{}', '+');
          await two.run('ls', '-lR', to);
        }
      };
      const unpacking = one
        .run('tar', '-xf', join(one.cluster.directory, 'tree.tar'), '-C', to)
        .finally(() => stop.abort());
      const looking = round === 0 ? Promise.resolve() : look();
      await unpacking;
      t.deepEqual(await treeOf(two.path(to)), expected);
      t.deepEqual(await treeOf(one.path(to)), expected);
      await looking;
    }
  },
  ['tar', 'find'],
);

mountTest('what a program has made in a new directory another mount sees at once', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  for (let i = 0; i < 30; i++) {
    const at = `new-${i}`;
    await mkdir(one.path(at));
    await mkdir(one.path(at, 'sub'));
    await symlink('sub', one.path(at, 'link'));
    const file = await open(one.path(at, 'sub/open'), 'wx');
    await file.write('so far');
    await writeFile(one.path(at, 'closed'), `bytes of ${i}`);
    if (i % 3 === 0) t.deepEqual(await readdir(two.path(at)), ['closed', 'link', 'sub'].toSorted());
    if (i % 3 === 1) t.is(await readFile(two.path(at, 'link/open'), 'utf8'), 'so far');
    t.is(await readFile(two.path(at, 'closed'), 'utf8'), `bytes of ${i}`);
    t.is(await readFile(two.path(at, 'sub/open'), 'utf8'), 'so far');
    await file.write(' and on', 6);
    t.is(await readFile(two.path(at, 'sub/open'), 'utf8'), 'so far and on');
    await file.close();
    // The other way round: what another mount makes in it is there too.
    await writeFile(two.path(at, 'of two'), 'two');
    t.is(await readFile(one.path(at, 'of two'), 'utf8'), 'two');
    await unlink(two.path(at, 'closed'));
    t.is(await failure(stat(one.path(at, 'closed'))), 'ENOENT');
  }
});

mountTest(
  'a file that was synced is there, with all above it, when its mount is killed',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1, sessionLeaseMs: 3000 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    await mkdir(one.path('a'));
    await mkdir(one.path('a/b'));
    await mkdir(one.path('a/b/c'));
    await writeFile(one.path('a/b/beside'), 'perhaps');
    const file = await one.open(t, 'a/b/c/synced', 'wx');
    await file.write('kept');
    await file.sync();
    one.kill();
    t.is(await readFile(two.path('a/b/c/synced'), 'utf8'), 'kept');
    t.deepEqual(await readdir(two.path('a')), ['b']);
  },
);

mountTest('so is a directory that was synced, with its names', async (t) => {
  const one = await Mounted.start(t, { iods: 1, sessionLeaseMs: 3000 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  await mkdir(one.path('a'));
  await mkdir(one.path('a/b'));
  for (let i = 0; i < 5; i++) await writeFile(one.path('a/b', `${i}`), `${i}`);
  const directory = await one.open(t, 'a/b', 'r');
  await directory.sync();
  one.kill();
  t.deepEqual(await readdir(two.path('a/b')), ['0', '1', '2', '3', '4']);
  for (let i = 0; i < 5; i++) t.is(await readFile(two.path('a/b', `${i}`), 'utf8'), `${i}`);
});

for (const option of ['dirsync', 'sync']) {
  mountTest(`with -o ${option} names are there when their mount is killed`, async (t) => {
    const cluster = { iods: 1, sessionLeaseMs: 3000 };
    const one = await Mounted.start(t, cluster, ['-o', option]);
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    await mkdir(one.path('a'));
    await mkdir(one.path('a/b'));
    for (const name of ['gone', 'here']) await writeFile(one.path('a/b', name), name);
    await rename(one.path('a/b/here'), one.path('a/b/there'));
    await unlink(one.path('a/b/gone'));
    one.kill();
    t.deepEqual(await readdir(two.path('a/b')), ['there']);
    if (option === 'sync') t.is(await readFile(two.path('a/b/there'), 'utf8'), 'here');
  });
}

mountTest('what was made just before an unmount is there', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  for (let i = 0; i < 3; i++) {
    await mkdir(one.path(`a${i}`));
    await mkdir(one.path(`a${i}/b`));
    await symlink('b', one.path(`a${i}/link`));
    for (let j = 0; j < 20; j++) await writeFile(one.path(`a${i}/b/f${j}`), `${j}`);
  }
  t.is((await one.cluster.weft('umount', one.directory)).code, 0);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 20; j++) {
      t.is(await readFile(two.path(`a${i}/link/f${j}`), 'utf8'), `${j}`);
    }
  }
});

mountTest('daemons that are killed and started again cost no name and no error', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  let made = 0;
  let last: FileHandle | undefined;
  const work = async (): Promise<void> => {
    for (; !stop.signal.aborted; made++) {
      const at = `d${Math.floor(made / 25)}`;
      if (made % 25 === 0) await mkdir(one.path(at));
      const file = await one.open(t, `${at}/f${made}`, 'wx');
      await file.write(`bytes of ${made}`);
      // So that one is open whenever a daemon is killed.
      await last?.close();
      last = file;
    }
    await last?.close();
  };
  const working = work();
  await killInTurn(one.cluster, working, () => made);
  stop.abort();
  await t.notThrowsAsync(working);
  const expected = Array.from({ length: made }, (_, i) => `f${i}`);
  for (const mount of [two, one]) {
    const seen: string[] = [];
    for (const at of await readdir(mount.directory)) {
      for (const name of await readdir(mount.path(at))) {
        t.is(await readFile(mount.path(at, name), 'utf8'), `bytes of ${name.slice(1)}`);
        seen.push(name);
      }
    }
    t.deepEqual(seen.toSorted(), expected.toSorted());
  }
});

mountTest(
  'who looks into a directory of a mount that was killed waits for the end of its session, and finds it sound',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1, sessionLeaseMs: 3000 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    await mkdir(one.path('a'));
    let made = 0;
    const work = async (): Promise<void> => {
      for (; ; made++) {
        const at = one.path('a', `d${made % 7}`);
        await mkdir(at).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        });
        await writeFile(join(at, `f${made}`), `bytes of ${made}`);
      }
    };
    const working = t.throwsAsync(work());
    await until(() => made >= 200);
    one.kill();
    await working;
    const entries = await readdir(two.path('a'), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const content = await readFile(join(entry.parentPath, entry.name), 'utf8');
      // What was told is told whole; one that was open when it was told may be empty.
      t.true([`bytes of ${entry.name.slice(1)}`, ''].includes(content), entry.name);
    }
    const files = entries.filter((entry) => entry.isFile());
    t.true(files.length > 0 && files.length <= made + 1, `${files.length} of ${made}`);
    await rm(two.path('a'), { recursive: true });
    await mkdir(two.path('a'));
  },
);

mountTest('programs find what they find on a local disk', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, m.cluster, 'mnt2');
  const local = join(m.cluster.directory, 'local');
  await mkdir(local);
  const scripts = [
    'mkdir a; touch a/x; mv a b; ls b; rm -r b; ls',
    'mkdir c; touch c/x; ln c/x c/y; stat -c "%h %F" c/x c/y c; ln c/x z; stat -c %h c/y; rm c/x; cat z; stat -c %h z',
    'mkdir d; echo hi > d/f; chmod 4711 d/f; stat -c %a d/f; chown 5:6 d/f; stat -c "%a %u %g" d/f; cat d/f',
    'mkdir e; ln -s ../d/f e/l; readlink e/l; cat e/l; stat -c "%s %F %a" e/l; chown -h 7:8 e/l; stat -c "%u %g" e/l',
    'mkdir g; echo one > g/tmp; mv g/tmp g/f; cat g/f; echo two > g/tmp; mv g/tmp g/f; cat g/f; ls g',
    'mkdir h; chmod 2750 h; chown 0:9 h; chmod g+s h; mkdir h/s; touch h/f; stat -c "%a %u %g %F" h h/s h/f',
    'mkdir i; touch -d @1700000000 i; stat -c %Y i; touch i/f; touch -d @1600000001 i/f; stat -c %Y i/f',
    'mkdir j; mkdir j/k; mkdir j/l; stat -c %h j; rmdir j/k; stat -c %h j; rmdir j/l; rmdir j; ls -d j || echo gone',
    'mkdir m; mkdir m || echo there; touch m/f; mkdir m/f || echo there; ln -s x m/f || echo there; rmdir m || echo full',
    'mkdir n; head -c 100000 /dev/zero | tr "\\0" x > n/long; stat -c %s n/long; cksum < n/long',
    'mkdir o; exec 3<>o/f; echo abc >&3; rm o/f; ls o; echo def >&3; cat /proc/self/fd/3; stat -Lc %h /proc/self/fd/3; exec 3>&-',
    'mkdir p; touch p/f; mv p/f p/g; mkdir q; mv p/g q/h; ls p q; mv p q/p; ls q; mv -T q/p r; ls; rm -r q r',
    'mkdir u; truncate -s 10 u/f; stat -c %s u/f; echo more >> u/f; stat -c %s u/f; od -c u/f',
    'umask 077; mkdir v; touch v/f; mkdir v/d; stat -c %a v v/f v/d',
    'mkdir w; touch w/$(printf "%0300d" 1) || echo long; touch w/$(printf "%0255d" 1); ls w | wc -c',
    'mkdir x; mkfifo x/p; stat -c %F x/p; ls x; touch x/f; ls x; cp -a x y; ls y; diff -r x/f y/f',
    'mkdir aa; cd aa; touch f; rm ../aa/f; rmdir ../aa; touch g || echo gone; cd ..; ls -d aa || echo gone',
  ];
  for (const script of scripts) {
    const run = (directory: string): Promise<string> =>
      m.run('sh', '-c', `cd '${directory}'; { ${script}; } 2>/dev/null`);
    const there = await run(m.directory);
    t.is(there, await run(local), script);
  }
  t.deepEqual(await namesIn(two.directory), await namesIn(local));
});

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).toSorted();
}

mountTest(
  'an open file of a new directory may be renamed and removed, and is read and written on',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    await mkdir(one.path('a'));
    const file = await one.open(t, 'a/f', 'wx+');
    await file.write('one');
    await rename(one.path('a/f'), one.path('a/g'));
    await file.write(' two', 3);
    t.is(await readFile(two.path('a/g'), 'utf8'), 'one two');
    await mkdir(one.path('b'));
    const gone = await one.open(t, 'b/f', 'wx+');
    await gone.write('one');
    await unlink(one.path('b/f'));
    t.deepEqual(await readdir(two.path('b')), []);
    await gone.write(' two', 3);
    t.is((await gone.read({ buffer: Buffer.alloc(7), position: 0 })).buffer.toString(), 'one two');
    t.like(await gone.stat(), { nlink: 0, size: 7 });
    await gone.sync();
  },
);
