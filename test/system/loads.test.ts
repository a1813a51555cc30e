/** What one that asks too much, or gets too little, means for the others: with real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { kept } from './keepsafe.ts';
import { TestCluster } from './cluster-fixture.ts';

test.serial(
  'a client that floods the mgr leaves the others their share (SCENARIOS 238)',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1 });
    const inFlight = 4000;
    const flood = await cluster.client('flood', '/', inFlight);
    const fs = await cluster.connect();
    const rounds = 20;
    const before = (await fs.status()).answered;
    for (let i = 0; i < rounds; i++) await fs.stat('/');
    const each = ((await fs.status()).answered - before) / rounds;
    flood.child.kill('SIGKILL');
    // Each of ours waits for what is before it, and not for what comes behind.
    t.true(each > 1 && each < 4 * inFlight, `${each} of the flood to one of ours`);
  },
);

test.serial(
  'a daemon that gets the processor one moment in twenty is slow, and nobody takes it for dead (SCENARIOS 246)',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 2 });
    const fs = await cluster.connect();
    const content = Buffer.alloc(300_000, 7);
    await fs.writeFile('/f', content);
    const before = (await fs.status()).members;
    const starved = [cluster.iod(0), cluster.mgr];
    const state = { isOver: false };
    const starve = async (pid: number): Promise<void> => {
      while (!state.isOver) {
        process.kill(pid, 'SIGSTOP');
        await pause(380);
        process.kill(pid, 'SIGCONT');
        await pause(20);
      }
    };
    const starving = starved.map(({ pid }) => starve(pid));
    try {
      for (let round = 0; round < 8; round++) {
        await fs.writeFile(`/f${round}`, content);
        t.true((await fs.readFile('/f')).equals(content));
      }
    } finally {
      state.isOver = true;
      await Promise.all(starving);
    }
    const after = (await fs.status()).members;
    const lives = (list: typeof before) => list.map((one) => `${one.state} ${one.incarnation}`);
    t.deepEqual(lives(after), lives(before));
  },
);

test.serial(
  'a process that a client or a command starts has nothing of its connections (SCENARIOS 115, 242)',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1 });
    const fs = await cluster.connect();
    const file = await fs.open('/f', 'w+');
    await file.write(Buffer.from('ours'), 0);
    t.true((await socketsOf(process.pid)).length > 0);
    const child = kept(spawn('sleep', ['600'], { stdio: 'ignore' }));
    t.teardown(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const theirs = await socketsOf(child.pid ?? 0);
    t.deepEqual(theirs, []);
    // Its end, and ours, are two things.
    child.kill('SIGKILL');
    await once(child, 'exit');
    const into = Buffer.alloc(4);
    await file.read(into, 0);
    t.is(into.toString(), 'ours');
    for (const daemon of cluster.daemons) {
      const shared = new Set(await socketsOf(process.pid));
      t.true(
        (await socketsOf(daemon.pid)).every((socket) => !shared.has(socket)),
        daemon.name,
      );
    }
    await file.close();
  },
);

/** Sockets of a process, as the kernel numbers them. */
async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory);
  const links = await Promise.all(
    names.map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith('socket:'));
}
