import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestCluster, until } from './cluster-fixture.ts';
import { builtProgram } from './daemon.ts';
import { failure, Mounted, mountTest } from './mounted.ts';

/** Of all processes that run. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).map((line) => line.replaceAll('\0', ' '));
}

mountTest(
  'a mount whose process was killed is repaired by weft mount, or taken away by weft umount --stale',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    await writeFile(m.path('f'), 'kept');
    t.is((await m.cluster.weft('mount', m.directory)).code, 1, 'a living one is not replaced');
    m.kill();
    await until(async () => (await failure(stat(m.path('f')))) === 'ENOTCONN');
    const again = await Mounted.on(t, m.cluster, 'mnt');
    t.true(again.repaired);
    t.is(await readFile(m.path('f'), 'utf8'), 'kept');

    again.kill();
    await until(async () => (await failure(stat(m.path('f')))) === 'ENOTCONN');
    const { stdout, stderr } = await m.cluster.weft('umount', '--stale', '--json');
    t.true(stdout.includes(JSON.stringify(m.directory)), stderr);
    t.deepEqual(await readdir(m.directory), []);
  },
);

mountTest('weft umount ends the process of the mount, and refuses what is in use', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  const file = await m.open(t, 'f', 'w');
  const busy = await m.cluster.weft('umount', m.directory);
  t.is(busy.code, 1);
  t.regex(busy.stderr, /EBUSY/);
  await file.write('x');
  await file.close();
  t.is((await m.cluster.weft('umount', m.directory)).code, 0);
  t.deepEqual(await readdir(m.directory), []);
  await until(async () => (await failure(stat(`/proc/${m.pid}`))) === 'ENOENT');
  const fs = await m.cluster.connect();
  t.is(await fs.readFile('/f').then(String), 'x');
  t.is((await fs.status()).sessions, 1, 'nothing of the mount is left with the mgr');
  t.is((await m.cluster.weft('umount', m.directory)).code, 1);
});

mountTest(
  'a mount that the administrator of the kernel has ended is taken away by its process',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
    const [, , device = ''] =
      lines.find((line) => line.includes(` ${m.directory} `))?.split(' ') ?? [];
    const connections = '/sys/fs/fuse/connections';
    const abort = `mount -t fusectl none ${connections}
      echo 1 > ${connections}/${device.replace('0:', '')}/abort`;
    await promisify(execFile)('unshare', ['--mount', 'sh', '-euc', abort]);
    await until(async () => (await failure(stat(`/proc/${m.pid}`))) === 'ENOENT');
    t.deepEqual(await readdir(m.directory), []);
  },
  ['unshare'],
);

mountTest('weft umount --stale passes over a mount that does not answer', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  process.kill(m.pid, 'SIGSTOP');
  const { code, stdout } = await m.cluster.weft('umount', '--stale', '--json');
  process.kill(m.pid, 'SIGCONT');
  t.is(code, 0);
  t.false(stdout.includes(m.directory));
  t.deepEqual(await readdir(m.directory), []);
});

mountTest('a weft mount that is interrupted before it is done leaves nothing behind', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  cluster.mgr.signal('SIGSTOP');
  const directory = join(cluster.directory, 'mnt');
  await mkdir(directory);
  const program = builtProgram('client/cli/main.js');
  const child = spawn(process.execPath, [program, 'mount', directory, '--url', cluster.url]);
  t.teardown(() => child.kill('SIGKILL'));
  const served = `mount ${directory} --foreground`;
  await until(async () => (await commandLines()).some((line) => line.includes(served)));
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number];
  cluster.mgr.signal('SIGCONT');
  t.is(code, 1);
  t.false((await commandLines()).some((line) => line.includes(served)));
});

mountTest(
  'a directory that does not exist, and a cluster that is not there, are told in one line',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1 });
    const nowhere = await cluster.weft('mount', join(cluster.directory, 'nowhere'));
    t.is(nowhere.code, 1);
    t.regex(nowhere.stderr, /^weft: ENOENT: /);
  },
);
