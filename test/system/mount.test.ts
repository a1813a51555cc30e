import {
  appendFile,
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { until } from './cluster-fixture.ts';
import { failure, Mounted, mountTest } from './mounted.ts';
import { pattern, sha256 } from './patterns.ts';
import { projectPath } from '../../scripts/project.ts';

const MiB = 1024 * 1024;
const source = projectPath('shared');

mountTest('trees go in and out unchanged by cp -a and tar', async (t) => {
  const m = await Mounted.start(t);
  await m.sh(`cp -a '${source}' copy && diff -r '${source}' copy`);
  const times = (root: string) =>
    m.sh(`cd '${root}' && find . -printf '%p %m %T@ %u %g %y\\n' | sort`);
  t.is(await times(m.path('copy')), await times(source), 'modes, owners and nanoseconds');
  await m.sh(
    `tar -C '${source}' --format=posix -cf all.tar . && mkdir out && tar -C out -xf all.tar`,
  );
  await m.sh(`diff -r '${source}' out && tar -C out -df all.tar`);
  t.is(await times(m.path('out')), await times(source));
  await m.sh('rm -r copy out all.tar');
  t.deepEqual(await readdir(m.directory), []);
});

mountTest(
  'git clones, commits and finds nothing wrong',
  async (t) => {
    const m = await Mounted.start(t);
    const who = '-c user.name=t -c user.email=t@t -c init.defaultBranch=m';
    await m.sh(`
    export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
    git ${who} init -q one && cp -r '${source}/rpc' one/rpc && cd one
    git add -A && git ${who} commit -qm first && cd ..
    git clone -q --no-local one two && cd two
    echo more >> rpc/link.ts && git ${who} commit -qam second
    git gc -q && git fsck --full --strict && test -z "$(git status --porcelain)"`);
    t.regex(await m.sh('cd two && git log --oneline'), /second\n.*first\n$/);
  },
  ['git'],
);

mountTest(
  'sqlite keeps a database, with a log beside it or a shared map',
  async (t) => {
    const m = await Mounted.start(t);
    for (const mode of ['delete', 'wal']) {
      const rows = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)';
      await m.run(
        'sqlite3',
        `${mode}.db`,
        `pragma journal_mode = ${mode}; create table t (i integer primary key, x);
       insert into t ${rows} select i, hex(randomblob(50)) from n;
       begin; delete from t where i % 3 = 0; rollback;
       update t set x = 'y' where i % 2 = 0;`,
      );
      const asked = "pragma integrity_check; select count(*), sum(x = 'y') from t;";
      t.is(await m.run('sqlite3', `${mode}.db`, asked), 'ok\n2000|1000\n');
    }
  },
  ['sqlite3'],
);

mountTest('renames follow the rules of POSIX', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  const p = (name: string) => m.path(name);
  await writeFile(p('a'), 'a');
  await writeFile(p('b'), 'b');
  await rename(p('a'), p('b'));
  t.is(await readFile(p('b'), 'utf8'), 'a');
  t.is(await failure(lstat(p('a'))), 'ENOENT');
  await link(p('b'), p('c'));
  await rename(p('b'), p('c'));
  t.is((await stat(p('b'))).nlink, 2, 'two names of one file: nothing happens');
  await mkdir(p('d'));
  await mkdir(p('e'));
  await rename(p('d'), p('e'));
  await writeFile(p('e/x'), '');
  await mkdir(p('f'));
  t.is(await failure(rename(p('f'), p('e'))), 'ENOTEMPTY');
  t.is(await failure(rename(p('b'), p('e'))), 'EISDIR');
  t.is(await failure(rename(p('e'), p('b'))), 'ENOTDIR');
  t.is(await failure(rename(p('e'), p('e/inside'))), 'EINVAL');
  t.is(await failure(rmdir(p('e'))), 'ENOTEMPTY');
  t.is(await failure(unlink(p('e'))), 'EISDIR');
  t.is(await failure(writeFile(p('n'.repeat(256)), '')), 'ENAMETOOLONG');
  const longest = 'ä'.repeat(127);
  await writeFile(p(longest), '');
  t.true((await readdir(m.directory)).includes(longest));
});

/** renameat2(2), for which Node has no name, has another number on each processor. */
const renameCalls = { x64: 316, arm64: 276 } as const;
const renameCall = (renameCalls as Partial<Record<string, number>>)[process.arch];

mountTest(
  'RENAME_NOREPLACE spares what is there, RENAME_EXCHANGE swaps',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    const p = (name: string) => m.path(name);
    const renameat2 = (from: string, to: string, flags: number) =>
      m.run(
        'perl',
        '-e',
        `exit(syscall(${renameCall}, -100, $ARGV[0], -100, $ARGV[1], ${flags}) ? $! + 0 : 0)`,
        from,
        to,
      );
    await mkdir(p('e'));
    await writeFile(p('e/x'), '');
    await writeFile(p('one'), '1');
    await t.throwsAsync(renameat2('one', 'e', 1), { code: 17 }, 'EEXIST');
    await renameat2('one', 'e/x', 2);
    t.is(await readFile(p('e/x'), 'utf8'), '1');
    t.is(await readFile(p('one'), 'utf8'), '');
    await renameat2('one', 'free', 1);
    t.is((await stat(p('free'))).size, 0);
  },
  // Where its number is not known there is no such program either.
  renameCall === undefined ? [`number of renameat2 for ${process.arch}`] : ['perl'],
);

mountTest('an open file outlives its name; appends, cuts, holes and times are exact', async (t) => {
  const m = await Mounted.start(t);
  const path = m.path('file');
  const content = pattern(1, 0, 3 * MiB);
  const file = await m.open(t, 'file', 'wx+');
  t.is(await failure(open(path, 'wx')), 'EEXIST');
  await file.write(content);
  await unlink(path);
  t.is(await failure(stat(path)), 'ENOENT');
  t.is((await file.stat()).nlink, 0);
  const back = Buffer.alloc(content.length);
  await file.read(back, 0, back.length, 0);
  t.true(back.equals(content));
  await file.sync();
  await file.close();

  const [one, two] = await Promise.all([m.open(t, 'file', 'a'), m.open(t, 'file', 'a')]);
  const lines = Array.from({ length: 40 }, (_, i) => `line ${String(i).padStart(3, '0')}\n`);
  await Promise.all(lines.map((line, i) => (i % 2 === 0 ? one : two).write(line)));
  await Promise.all([one.close(), two.close()]);
  t.deepEqual(
    (await readFile(path, 'utf8')).split('\n').filter(Boolean).toSorted(),
    lines.map((l) => l.trim()),
  );

  await truncate(path, 5);
  t.is(await readFile(path, 'utf8'), 'line ');
  await truncate(path, 12);
  t.is((await readFile(path)).subarray(5).toString('hex'), '00'.repeat(7));
  await writeFile(path, 'x');
  t.is((await stat(path)).size, 1, 'O_TRUNC');

  const sparse = await m.open(t, 'sparse', 'w+');
  await sparse.write(Buffer.from('end'), 0, 3, 5 * 2 ** 30);
  t.is((await sparse.stat()).size, 5 * 2 ** 30 + 3);
  const hole = Buffer.alloc(1000, 1);
  await sparse.read(hole, 0, 1000, 2 ** 30);
  t.true(hole.every((byte) => byte === 0));
  await sparse.close();

  const timed = await m.open(t, 'timed', 'w');
  await timed.write('some');
  await timed.utimes(1, 2.5);
  t.is((await timed.stat()).mtimeMs, 2500, 'while it is open');
  await timed.close();
  t.is((await stat(m.path('timed'))).mtimeMs, 2500, 'after it was closed');
  await utimes(m.path('timed'), 3, 4);
  t.is((await stat(m.path('timed'))).mtimeMs, 4000);
  t.is(await m.sh("touch -d '@-5.123456789' timed && stat -c %.9Y timed"), '-5.123456789\n');
  await symlink('timed', m.path('sym'));
  t.is(await readlink(m.path('sym')), 'timed');
  t.true((await statfs(m.directory)).blocks > 0);
  await copyFile(m.path('timed'), m.path('copied'));
  t.is(await readFile(m.path('copied'), 'utf8'), 'some');
});

mountTest(
  'a mapped file reads and writes as any other',
  async (t) => {
    const m = await Mounted.start(t);
    const content = pattern(3, 0, 2 * MiB + 77);
    await writeFile(m.path('a'), content);
    await m.run(
      'python3',
      '-c',
      `import mmap
f = open('a', 'r+b'); w = mmap.mmap(f.fileno(), 0); g = open('a', 'rb')
r = mmap.mmap(g.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
assert r[:] == g.read()
w[1000:1005] = b'mmap!'; w.flush(); w.close(); f.close()`,
    );
    content.write('mmap!', 1000);
    t.true((await readFile(m.path('a'))).equals(content));
    await m.sh('cp a b && cmp a b');
  },
  ['python3'],
);

mountTest(
  'a listing of 10 000 names shows each that stays exactly once, whatever comes and goes',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    const fs = await m.cluster.connect();
    await mkdir(m.path('many'));
    const stays = Array.from({ length: 10_000 }, (_, i) => `stays-${i}`);
    for (let at = 0; at < stays.length; at += 500) {
      await Promise.all(stays.slice(at, at + 500).map((name) => fs.mknod(`/many/${name}`, 'file')));
    }
    const stop = new AbortController();
    const changing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await writeFile(m.path(`many/comes-${i}`), '');
        if (i > 20) await rm(m.path(`many/comes-${i - 20}`));
      }
    })();
    const seen: string[] = [];
    for await (const { name } of await opendir(m.path('many'), { bufferSize: 64 })) seen.push(name);
    stop.abort();
    await changing;
    const kept = seen.filter((name) => name.startsWith('stays'));
    t.is(kept.length, stays.length);
    t.is(new Set(kept).size, stays.length);
  },
);

mountTest('two mounts see at once what the other has finished', async (t) => {
  const one = await Mounted.start(t);
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  for (let i = 0; i < 20; i++) {
    await writeFile(one.path('f'), `${i}`.repeat(i + 1));
    t.is(await readFile(two.path('f'), 'utf8'), `${i}`.repeat(i + 1));
    await rename(two.path('f'), two.path('g'));
    t.is(await failure(stat(one.path('f'))), 'ENOENT');
    await appendFile(two.path('g'), '+');
    t.is((await stat(one.path('g'))).size, String(i).length * (i + 1) + 1);
    await rename(one.path('g'), one.path('f'));
  }
  const [a, b] = await Promise.all([one.open(t, 'log', 'a'), two.open(t, 'log', 'a')]);
  await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? a : b).write(`${i}\n`)));
  await Promise.all([a.close(), b.close()]);
  const lines = (await readFile(one.path('log'), 'utf8')).trim().split('\n');
  t.deepEqual(
    lines.map(Number).toSorted((x, y) => x - y),
    Array.from({ length: 30 }, (_, i) => i),
    'no append is lost',
  );
});

mountTest(
  'users own what they make, groups and set-gid directories count, writing takes set-uid away',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    await chmod(m.cluster.directory, 0o755);
    const as = (uid: number, gid: number, groups: string, script: string) => {
      const who = groups === '' ? '--clear-groups' : `--groups=${groups}`;
      return m.run('setpriv', `--reuid=${uid}`, `--regid=${gid}`, who, 'sh', '-euc', script);
    };
    await mkdir(m.path('open'), { mode: 0o777 });
    await chmod(m.path('open'), 0o1777);
    await as(1234, 1300, '', 'umask 027; cd open; echo x > f; mkdir d; ln -s f s; mkfifo p');
    t.is(
      await m.sh('cd open && stat -c "%n %u %g %a" f d s p'),
      'f 1234 1300 640\nd 1234 1300 750\ns 1234 1300 777\np 1234 1300 640\n',
    );
    await t.throwsAsync(
      as(1235, 1300, '', 'rm -f open/f'),
      { message: /Operation not permitted/ },
      'sticky',
    );
    t.is(await as(1235, 1300, '', 'cat open/f'), 'x\n');
    await t.throwsAsync(as(1235, 1301, '', 'cat open/f'), { message: /Permission denied/ });
    t.is(await as(1235, 1301, '7,1300', 'cat open/f'), 'x\n', 'a supplementary group');
    await m.sh('mkdir shared && chgrp 1400 shared && chmod 2770 shared');
    await as(1236, 1301, '1400', 'cd shared; echo y > f; mkdir d');
    t.is(await m.sh('cd shared && stat -c "%u %g %a" f d'), '1236 1400 644\n1236 1400 2755\n');
    await t.throwsAsync(as(1236, 1301, '', 'echo z > shared/g'), { message: /Permission denied/ });
    await m.sh('cd open && echo > suid && chmod 6777 suid');
    await as(1237, 1301, '', 'echo more >> open/suid');
    t.is(await m.sh('stat -c %a open/suid'), '777\n');
    await m.sh('cd open && chmod 4777 suid');
    await as(1237, 1301, '', ': > open/suid');
    t.is(await m.sh('stat -c %a open/suid'), '777\n');
  },
  ['setpriv'],
);

mountTest(
  'extended attributes are kept',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    await m.run(
      'python3',
      '-c',
      `import os, errno
open('f', 'w').close()
os.setxattr('f', 'user.a', b'\\0\\1'); os.setxattr('f', 'user.b', b'x' * 60000)
assert sorted(os.listxattr('f')) == ['user.a', 'user.b']
assert os.getxattr('f', 'user.a') == b'\\0\\1' and len(os.getxattr('f', 'user.b')) == 60000
for call, want in [(lambda: os.setxattr('f', 'user.a', b'', os.XATTR_CREATE), errno.EEXIST),
                   (lambda: os.setxattr('f', 'user.c', b'', os.XATTR_REPLACE), errno.ENODATA),
                   (lambda: os.getxattr('f', 'user.c'), errno.ENODATA),
                   (lambda: os.setxattr('f', 'security.selinux', b'l'), errno.EOPNOTSUPP),
                   (lambda: os.getxattr('f', 'security.selinux'), errno.EOPNOTSUPP)]:
    try: call()
    except OSError as e: assert e.errno == want, e
    else: assert False
os.removexattr('f', 'user.a'); assert os.listxattr('f') == ['user.b']`,
    );
    t.pass();
  },
  ['python3'],
);

mountTest('programs notice nothing of an iod and a mgr that are killed under load', async (t) => {
  const m = await Mounted.start(t);
  let rounds = 0;
  const stop = new AbortController();
  const worker = async (id: number): Promise<void> => {
    const held = await m.open(t, `held-${id}`, 'w+');
    for (let i = 0; !stop.signal.aborted; i++) {
      const content = pattern(id * 1000 + i, 0, 700_000);
      const [name, other] = [m.path(`${id}-${i}`), m.path(`${id}-${i}-done`)];
      await writeFile(name, content, { flag: 'wx' });
      await rename(name, other);
      await held.write(content, 0, content.length, 0);
      const back = Buffer.alloc(content.length);
      await held.read(back, 0, back.length, 0);
      if (sha256(back) !== sha256(content)) throw new Error(`${id}: other bytes in round ${i}`);
      if (sha256(await readFile(other)) !== sha256(content))
        throw new Error(`${other}: other bytes`);
      await unlink(other);
      rounds++;
    }
    await held.close();
  };
  const workers = Promise.all([0, 1].map(worker));
  const progress = async (more: number): Promise<void> => {
    const enough = rounds + more;
    await Promise.race([until(() => rounds >= enough), workers]);
  };
  for (const victim of [m.cluster.iod(0), m.cluster.mgr, m.cluster.iod(2)]) {
    await progress(5);
    await victim.kill();
    await victim.start();
  }
  await progress(5);
  stop.abort();
  await t.notThrowsAsync(workers);
});

mountTest('who waits for a daemon that is away can be killed', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  await writeFile(m.path('f'), 'x'.repeat(100_000));
  await m.cluster.iod(0).kill();
  await t.throwsAsync(m.run('timeout', '--signal=INT', '1', 'cat', 'f'), { code: 124 });
  await m.cluster.iod(0).start();
  t.is((await readFile(m.path('f'))).length, 100_000);
});
