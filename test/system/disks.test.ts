/** Disks that are full, read-only, or no place for a directory. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type File, FsError } from '../../client/index.ts';
import { TestCluster, until } from './cluster-fixture.ts';
import { runProgram } from './daemon.ts';
import { said, settled } from './messages.ts';
import { pattern, sha256 } from './patterns.ts';
import { diskTest, mountTmpfs } from './small-disk.ts';

const MiB = 1024 ** 2;

test('a data directory that cannot be made or written ends the start with the path and the reason (SCENARIOS 226)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const { directory } = cluster;
  const file = join(directory, 'file');
  await writeFile(file, '');
  for (const daemon of cluster.daemons) await daemon.stop();
  for (const { role, args } of cluster.daemons.map(({ spec }) => spec)) {
    const data = join(file, 'data');
    const outcome = await runProgram(`${role}/main.js`, ['--data', data, ...args]);
    t.snapshot(said(outcome, { DIRECTORY: directory }), `${role} below a file`);
  }
});

diskTest(
  'a read-only disk ends the start with the path and the reason (SCENARIOS 226)',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1 });
    for (const daemon of cluster.daemons) await daemon.stop();
    const readOnly = await mountTmpfs(t, 'ro,size=1m');
    for (const { role, args } of cluster.daemons.map(({ spec }) => spec)) {
      const data = join(readOnly, 'data');
      const refused = await runProgram(`${role}/main.js`, ['--data', data, ...args]);
      t.is(refused.code, 1);
      t.regex(refused.stderr, /^weft: EROFS: mkdir .*data/m);
    }
  },
);

/** What `weft health` finds. */
async function codes(cluster: TestCluster): Promise<readonly string[]> {
  const { stdout } = await cluster.weft('health', '--json');
  const { findings } = JSON.parse(stdout) as { findings: readonly { code: string }[] };
  return findings.map(({ code }) => code);
}

/** Writes until it fails. @returns the error, and how much was stored before it */
async function fill(file: File, bytes: number): Promise<{ error: FsError; stored: number }> {
  const piece = MiB;
  for (let at = 0; at < bytes; at += piece) {
    try {
      await file.write(pattern(at / piece, 0, piece), at);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      return { error, stored: at + (error.bytesDone ?? 0) };
    }
  }
  throw new Error(`there was room for ${bytes} bytes`);
}

diskTest(
  'a full disk of one iod is ENOSPC with what was stored; other files go on, and room helps (SCENARIOS 214)',
  async (t) => {
    const small = await mountTmpfs(t, 'size=16m');
    const cluster = await TestCluster.start(t, {
      iods: 2,
      dataDir: (name) => (name === 'iod1' ? join(small, name) : undefined),
    });
    const fs = await cluster.connect();
    const full = await fs.open('/full', 'w+', { layout: { base: 1, pcount: 1 } });
    const { error, stored } = await fill(full, 64 * MiB);
    t.is(error.code, 'ENOSPC');
    await until(async () => (await codes(cluster)).includes('WEFT_H_DISK_FULL'));
    t.regex(error.message, /^ENOSPC: write of object \d+ at \d+: .*, write '\/full'$/);
    t.true(stored > 8 * MiB && stored < 16 * MiB);
    for (let at = 0; at + MiB <= stored; at += MiB) {
      const back = Buffer.alloc(MiB);
      t.is(await full.read(back, at), MiB);
      t.is(sha256(back), sha256(pattern(at / MiB, 0, MiB)));
    }
    const elsewhere = { layout: { base: 0, pcount: 1 } };
    await fs.writeFile('/elsewhere', pattern(9, 0, MiB), elsewhere);
    t.is((await fs.readFile('/elsewhere')).length, MiB);
    await full.truncate(0);
    await full.write(pattern(1, 0, MiB), 0);
    await full.close({ sync: true });
    t.is(sha256(await fs.readFile('/full')), sha256(pattern(1, 0, MiB)));
  },
);

/** A cluster with one file, `/before`, whose mgr has a disk that is soon full. */
async function mgrOnSmallDisk(t: ExecutionContext) {
  const small = await mountTmpfs(t, 'size=128m');
  const cluster = await TestCluster.start(t, {
    iods: 1,
    dataDir: (name) => (name === 'mgr' ? join(small, name) : undefined),
  });
  const fs = await cluster.connect();
  await fs.writeFile('/before', 'content');
  return { small, cluster, fs };
}

diskTest(
  'a full disk of the mgr refuses what is new; all else goes on, and room helps (SCENARIOS 215)',
  async (t) => {
    const { small, cluster, fs } = await mgrOnSmallDisk(t);
    await fs.mkdir('/old');
    const before = await fs.open('/before');
    const filler = join(small, 'filler');
    const filled = writeFile(filler, Buffer.alloc(128 * MiB));
    t.is((await t.throwsAsync<NodeJS.ErrnoException>(filled)).code, 'ENOSPC');
    const made: string[] = [];
    let refusal: FsError | undefined;
    for (let i = 0; refusal === undefined; i++) {
      try {
        await fs.mkdir(`/${'d'.repeat(200)}${i}`);
        made.push(`${'d'.repeat(200)}${i}`);
      } catch (error) {
        refusal = error as FsError;
      }
    }
    t.is(refusal.code, 'ENOSPC', refusal.message);
    t.true((await codes(cluster)).includes('WEFT_H_MGR_DISK_RESERVE'));
    const names = { DIRECTORY: small, NAME: 'd'.repeat(200) };
    t.regex(settled(refusal.message, names), /^ENOSPC: .*mkdir '\/NAME\d+'$/);
    t.is(await before.read(Buffer.alloc(9), 0), 7, 'what is open is read and written');
    t.is((await fs.stat('/before')).size, 7);
    for (let times = 0; times < 500; times++) t.is((await fs.readFile('/before')).length, 7);
    const another = await cluster.connect();
    t.is((await another.readFile('/before')).toString(), 'content', 'whoever comes now reads too');
    await fs.rmdir('/old');
    await rm(filler);
    await until(() =>
      fs.mkdir('/after').then(
        () => true,
        () => false,
      ),
    );
    const found = (await fs.readdir('/')).map(({ name }) => name);
    t.deepEqual(found.toSorted(), [...made, 'after', 'before'].toSorted());
    t.true(cluster.mgr.isRunning);
  },
);

diskTest(
  'a mgr starts on a disk without a byte left, after a stop in order and after a crash (SCENARIOS 215)',
  async (t) => {
    const { small, cluster, fs } = await mgrOnSmallDisk(t);
    for (const end of ['stop', 'kill'] as const) {
      await cluster.mgr[end]();
      const filler = join(small, 'filler');
      const filled = writeFile(filler, Buffer.alloc(128 * MiB));
      t.is((await t.throwsAsync<NodeJS.ErrnoException>(filled)).code, 'ENOSPC', end);
      await cluster.mgr.start();
      t.is((await fs.readFile('/before')).toString(), 'content', end);
      await t.throwsAsync(fs.mkdir('/new'), { code: 'ENOSPC' }, end);
      await rm(filler);
      await until(() =>
        fs.mkdir(`/after-${end}`).then(
          () => true,
          () => false,
        ),
      );
    }
  },
);

diskTest(
  'an iod starts on a disk without a byte left: its files are read, and removed (SCENARIOS 99)',
  async (t) => {
    const small = await mountTmpfs(t, 'size=16m');
    const cluster = await TestCluster.start(t, {
      iods: 1,
      dataDir: (name) => (name === 'iod0' ? join(small, name) : undefined),
    });
    const fs = await cluster.connect();
    await fs.writeFile('/before', 'content');
    const full = await fs.open('/full', 'w');
    t.is((await fill(full, 16 * MiB)).error.code, 'ENOSPC');
    await full.close();
    const [iod] = cluster.iods;
    if (iod === undefined) throw new Error('there is no iod');
    for (const end of ['stop', 'kill', 'kill'] as const) {
      await iod[end]();
      // What the stop has given back.
      await t.throwsAsync(writeFile(join(small, 'filler'), Buffer.alloc(MiB)), { code: 'ENOSPC' });
      await iod.start();
      t.is((await fs.readFile('/before')).toString(), 'content', end);
    }
    await fs.unlink('/full');
    await until(() =>
      fs.writeFile('/after', Buffer.alloc(MiB)).then(
        () => true,
        () => false,
      ),
    );
  },
);
