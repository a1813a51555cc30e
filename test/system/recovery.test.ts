import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { File, FileSystem } from '../../client/index.ts';
import { type ClientProcess, TestCluster, until } from './cluster-fixture.ts';
import { runProgram } from './daemon.ts';
import { Load } from './load.ts';
import { linesOf, linesOfClient } from './lines.ts';
import { pattern } from './patterns.ts';

const MiB = 1024 * 1024;

/** One file for each worker, striped over all iods. */
function openLoadFiles(fs: FileSystem, count: number): Promise<File[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => fs.open(`/load-${i}`, 'w+')));
}

async function checkFile(t: ExecutionContext, fs: FileSystem, path: string, content: Buffer) {
  const read = await fs.readFile(path);
  t.is(read.length, content.length, path);
  t.true(read.equals(content), path);
}

/** @returns how the port answers: open, or the errno of the refusal */
function probe(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve('open');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}

test('an iod that is killed between two calls costs the next call nothing (SCENARIOS 1, 2)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const content = pattern(1, 0, 3 * MiB);
  const file = await fs.open('/file', 'w+');
  await file.write(content, 0);
  await file.sync();
  await cluster.iod(1).kill();
  await cluster.iod(1).start();
  const back = Buffer.alloc(content.length);
  t.is(await file.read(back, 0), content.length);
  t.true(back.equals(content));
  t.is((await fs.status()).opens, 1);
  await file.close();
});

test('an iod that is killed under load and started again causes no error and no wrong byte (SCENARIOS 2, 3, 6)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const load = new Load(await openLoadFiles(fs, 4));
  for (const victim of [1, 0, 2, 1]) {
    await load.progress(30);
    await cluster.iod(victim).kill();
    await cluster.iod(victim).start();
  }
  await load.progress(30);
  await t.notThrowsAsync(load.stop());
});

test('all iods restarted one after another, with notice, under load: no failed call (SCENARIOS 21, 23)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const load = new Load(await openLoadFiles(fs, 4));
  for (const iod of cluster.iods) {
    await load.progress(20);
    t.deepEqual(await iod.stop(), { code: 0, signal: null });
    await iod.start();
  }
  await load.progress(20);
  await t.notThrowsAsync(load.stop());
});

test('files that are not on the killed iod go on while it is away (SCENARIOS 15)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const elsewhere = await fs.open('/elsewhere', 'w+', { layout: { base: 0, pcount: 2 } });
  const load = new Load([elsewhere]);
  await load.progress(5);
  await cluster.iod(2).kill();
  await load.progress(50);
  await t.notThrowsAsync(load.stop());
  const waits = await fs.open('/waits', 'w+', { layout: { base: 2, pcount: 1 } });
  const error = await t.throwsAsync(waits.write(Buffer.from('x'), 0, { deadlineMs: 1500 }));
  t.is((error as NodeJS.ErrnoException).code, 'ETIMEDOUT');
  t.regex(error.message, /iod ?2/, 'the iod that does not answer is named (SCENARIOS 17)');
  await cluster.iod(2).start();
  await waits.write(Buffer.from('x'), 0);
  await waits.close();
});

test('while the mgr is dead running reads and writes go on; after it names, opens and unlinked files are there (SCENARIOS 53, 60, 65, 67)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const content = pattern(2, 0, MiB);
  await fs.mkdir('/dir');
  await fs.writeFile('/dir/named', content);
  const unlinked = await fs.open('/unlinked', 'w+');
  await unlinked.write(content, 0);
  await fs.unlink('/unlinked');
  const load = new Load(await openLoadFiles(fs, 3));
  await load.progress(20);

  await cluster.mgr.kill();
  await load.progress(60);
  const waiting = fs.stat('/dir/named');
  await cluster.mgr.start();

  t.is((await waiting).size, content.length);
  await load.progress(20);
  await t.notThrowsAsync(load.stop());
  await checkFile(t, fs, '/dir/named', content);
  const back = Buffer.alloc(content.length);
  t.is(await unlinked.read(back, 0), content.length);
  t.true(back.equals(content));
  t.is((await unlinked.stat()).nlink, 0);
  t.is((await fs.status()).opens, 4, 'the load files and the unlinked one');
  await fs.writeFile('/unlinked', 'another');
  t.is(await unlinked.read(back, 0), content.length);
  t.true(back.equals(content), 'a new file of the old name is another file (SCENARIOS 192)');
  await unlinked.close();
});

test('names that were answered before the mgr was killed are there, again and again (SCENARIOS 58, 59, 75, 160, 161)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  const answered: string[] = [];
  const stop = new AbortController();
  const worker = async (id: number): Promise<void> => {
    for (let i = 0; !stop.signal.aborted; i++) {
      const directory = `/${id}-${i}`;
      await fs.mkdir(directory);
      await fs.writeFile(`${directory}/a`, '', { flag: 'wx' });
      await fs.rename(`${directory}/a`, `${directory}/b`);
      await fs.link(`${directory}/b`, `${directory}/c`);
      await fs.unlink(`${directory}/b`);
      answered.push(directory);
    }
  };
  const workers = Promise.all([1, 2, 3, 4].map(worker));
  for (let round = 0; round < 4; round++) {
    const before = answered.length;
    await Promise.race([until(() => answered.length > before + 40), workers]);
    await cluster.mgr.kill();
    await cluster.mgr.start();
  }
  stop.abort();
  await t.notThrowsAsync(workers, 'no retry is told that the name exists already, or not any more');
  for (const directory of answered) {
    const names = (await fs.readdir(directory)).map(({ name }) => name);
    t.deepEqual(names, ['c'], directory);
  }
});

/** How many lines a client has appended. */
async function appendsMore(client: ClientProcess): Promise<void> {
  const before = await linesOf(client);
  await until(async () => (await linesOf(client)) > before + 10);
}

test('appends of four processes while mgr and iods are killed: each line once, whole, in its order (SCENARIOS 161, 164, 167, 229)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  await fs.writeFile('/log', '');
  const ids = [0, 1, 2, 3];
  const clients = await Promise.all(ids.map((id) => cluster.client('lines', '/log', id)));
  for (const victim of [cluster.mgr, cluster.iod(0), cluster.mgr, cluster.iod(2)]) {
    await Promise.all(clients.map(appendsMore));
    await victim.kill();
    await victim.start();
  }
  await Promise.all(clients.map(appendsMore));
  const counts = await Promise.all(clients.map((client) => linesOf(client, 'enough')));
  const codes = await Promise.all(clients.map(({ ended }) => ended));
  t.deepEqual(codes, [0, 0, 0, 0]);
  const lines = (await fs.readFile('/log')).toString().split('\n');
  t.is(lines.pop(), '');
  for (const id of ids) {
    t.deepEqual(
      lines.filter((line) => line.startsWith(`${id} `)),
      linesOfClient(id, counts[id] ?? 0),
    );
  }
  t.is(
    lines.length,
    counts.reduce((sum, count) => sum + count, 0),
  );
});

test('all daemons killed at once and started in any order: what was synced is there, what was open still is (SCENARIOS 5, 22, 66, 259)', async (t) => {
  const cluster = await TestCluster.start(t);
  const fs = await cluster.connect();
  const content = pattern(3, 0, 2 * MiB);
  const file = await fs.open('/file', 'w+');
  await file.write(content, 0);
  await file.sync();
  await Promise.all(cluster.daemons.map((daemon) => daemon.kill()));
  const [first, ...others] = cluster.iods;
  const early = await first?.launch({ more: ['--sync-timeout', '600000'] });
  await cluster.mgr.start();
  await Promise.all([early?.ready, ...others.map((iod) => iod.start())]);
  const back = Buffer.alloc(content.length);
  t.is(await file.read(back, 0), content.length);
  t.true(back.equals(content));
  await file.write(Buffer.from('more'), content.length);
  await file.close();
  await checkFile(t, fs, '/file', Buffer.concat([content, Buffer.from('more')]));
});

test('whatever an iod finds of what it wrote down when it stopped, its table is that of the mgr (SCENARIOS 35, 36)', async (t) => {
  const files = 1200;
  const cluster = await TestCluster.start(t, { iods: 2 });
  const fs = await cluster.connect();
  const open = (at: number): Promise<File> => fs.open(`/${at}`, 'w+', { layout: { pcount: 2 } });
  const held = await Promise.all(Array.from({ length: files }, (_, at) => open(at)));
  const iod = cluster.iod(1);
  const image = join(iod.spec.dataDir, 'opens');
  const damages: readonly ((content: Buffer) => Buffer)[] = [
    (content) => content,
    (content) => content.fill(7, 5000, 5100),
    (content) => content.subarray(0, 999),
    () => randomBytes(40_000),
  ];
  for (const [round, damage] of damages.entries()) {
    await iod.stop();
    const content = await readFile(image);
    // It has 25 bytes for each open.
    t.is(content.length, files * 25, `before round ${round}`);
    await writeFile(image, damage(content));
    await held[round * 300]?.close();
    held[round * 300] = await open(files + round);
    await iod.start();
    await Promise.all(held.map((file) => file.write(Buffer.from([round]), 70_000 * round)));
  }
});

test('the port of an iod is closed until the mgr has confirmed its table (SCENARIOS 29, 30, 33)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const [iod] = cluster.iods;
  if (iod === undefined) throw new Error('there is one');
  const fs = await cluster.connect();
  await fs.writeFile('/file', 'content');
  t.is(await probe(iod.spec.port), 'open');
  await iod.kill();
  await cluster.mgr.kill();
  const states = async () => (await iod.logText()).split('"to":"SYNCING"').length - 1;
  const starts = await states();
  const { ready } = await iod.launch({ more: ['--sync-timeout', '600000'] });
  await until(async () => (await states()) > starts);
  t.is(await probe(iod.spec.port), 'ECONNREFUSED');
  const read = fs.readFile('/file');
  t.is(await probe(iod.spec.port), 'ECONNREFUSED');
  await cluster.mgr.start();
  await ready;
  t.is(await probe(iod.spec.port), 'open');
  t.is((await read).toString(), 'content');
});

test('an iod that finds no mgr in time serves without state, and syncs when the mgr appears (SCENARIOS 31, 32)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const iod = cluster.iod(0);
  const fs = await cluster.connect();
  const file = await fs.open('/file', 'w+');
  await file.write(Buffer.from('content'), 0);
  await cluster.mgr.kill();
  await iod.kill();
  await iod.start({ more: ['--sync-timeout', '200'] });
  const read = file.read(Buffer.alloc(7), 0);
  await cluster.mgr.start();
  t.is(await read, 7);
  await file.close();
  t.is((await fs.readFile('/file')).toString(), 'content');
});

test('a client that is away beyond the reclaim window has lost its session, and is told so (SCENARIOS 61, 68, 69, 112)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1, sessionLeaseMs: 3000 });
  const { child, answer, ended } = await cluster.client('hold', '/orphan');
  child.kill('SIGSTOP');
  await cluster.mgr.kill();
  await cluster.mgr.start();
  const fs = await cluster.connect();
  await until(async () => (await fs.status()).opens === 0);
  await until(async () => (await fs.status()).reaping === 0);
  child.kill('SIGCONT');
  const word = answer();
  child.stdin?.end('look\n');
  t.is(await word, 'WEFT_E_SESSION_LOST');
  t.is(await ended, 0);
});

test('a second daemon on the same data directory is refused, and takes over when the first is gone (SCENARIOS 25, 79)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  await fs.writeFile('/file', 'content');
  for (const { role, dataDir, args } of cluster.daemons.map(({ spec }) => spec)) {
    const second = await runProgram(`${role}/main.js`, ['--data', dataDir, ...args]);
    t.is(second.code, 1);
    t.regex(second.stderr, /WEFT_E_DATA_LOCKED/);
    t.regex(second.stderr, /(process|pid) \d+/, 'it names the holder');
    t.true(second.stderr.includes(dataDir));
  }
  t.is((await fs.readFile('/file')).toString(), 'content', 'nobody else noticed');
  for (const daemon of cluster.daemons) {
    await daemon.kill();
    await daemon.start();
  }
  t.is((await fs.readFile('/file')).toString(), 'content');
});
