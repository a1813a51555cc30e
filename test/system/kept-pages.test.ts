/**
 * Bytes that a mount keeps, or its kernel: read again for nothing, and never when they are over.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { killInTurn } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';

const keepPages = ['-o', 'keep_pages'];

/** How often the kernel of a mount has asked for bytes so far. */
function reads(mounted: Mounted): Promise<number> {
  return counted(mounted, 'mount_operation', 'read');
}

/** How often a mount has asked the mgr for bytes so far. */
function questions(mounted: Mounted): Promise<number> {
  return counted(mounted, 'client_call', 'readWhole');
}

async function counted({ metrics }: Mounted, what: string, op: string): Promise<number> {
  const text = await (await fetch(metrics ?? '')).text();
  const line = new RegExp(`^weftfs_${what}_\\S+_count\\{op="${op}"\\S+ (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

/** In a state of the file: as long in each. */
function contentIn(state: number): string {
  return String(state).padStart(8, '0');
}

/** All that is in a file that is open. */
async function contentOf(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(64 * 1024);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return buffer.toString('latin1', 0, bytesRead);
}

mountTest('without the option the kernel asks for each read', async (t) => {
  const one = await Mounted.start(t, { iods: 1 }, ['--metrics', '0']);
  await writeFile(one.path('f'), 'a');
  const file = await one.open(t, 'f', 'r');
  for (let i = 1; i <= 3; i++) {
    t.is(await contentOf(file), 'a');
    t.is(await reads(one), i);
  }
});

mountTest('bytes of a small file are asked of the mgr once, until somebody writes', async (t) => {
  const one = await Mounted.start(t, { iods: 1 });
  const two = await Mounted.on(t, one.cluster, 'mnt2', ['--metrics', '0']);
  for (const state of [1, 2, 3]) {
    await writeFile(one.path('f'), contentIn(state).repeat(1000));
    const before = await questions(two);
    for (let i = 0; i < 5; i++) {
      t.is(await readFile(two.path('f'), 'latin1'), contentIn(state).repeat(1000));
      t.is(await two.run('dd', 'if=f', 'bs=8', 'skip=999', 'status=none'), contentIn(state));
    }
    t.is(await questions(two), before + 1);
  }
});

mountTest('what was read is read again without a question, until somebody writes', async (t) => {
  const one = await Mounted.start(t, { iods: 2 }, keepPages);
  const two = await Mounted.on(t, one.cluster, 'mnt2', [...keepPages, '--metrics', '0']);
  await writeFile(one.path('f'), 'a'.repeat(40_000));
  const file = await two.open(t, 'f', 'r');
  t.is((await contentOf(file)).length, 40_000);
  const asked = await reads(two);
  t.true(asked > 0);
  for (let i = 0; i < 10; i++) {
    t.is((await readFile(two.path('f'))).length, 40_000);
    t.is((await contentOf(file)).length, 40_000);
  }
  t.is(await reads(two), asked);
  const { atime, mtime } = await stat(one.path('f'));
  await writeFile(one.path('f'), 'b'.repeat(40_000), { flag: 'r+' });
  // Neither size nor time tells that anything has happened.
  await utimes(one.path('f'), atime, mtime);
  t.is(await contentOf(file), 'b'.repeat(40_000));
  t.is(await readFile(two.path('f'), 'latin1'), 'b'.repeat(40_000));
  t.true((await reads(two)) > asked);
});

/** @param bytes how long the file is at first */
async function seeEachChange(
  t: ExecutionContext,
  options: readonly string[],
  bytes: number,
): Promise<void> {
  const one = await Mounted.start(t, { iods: 2 }, options);
  const two = await Mounted.on(t, one.cluster, 'mnt2', options);
  const changes = [
    'printf 12345 | dd of=f bs=1 seek=100 conv=notrunc status=none',
    'truncate -s 20000 f',
    'truncate -s 30000 f',
    'fallocate -p -o 5000 -l 5000 f',
    'fallocate -l 50000 f',
    'printf more >>f',
    'cp other f',
    'dd if=other of=f bs=4096 count=2 seek=3 conv=notrunc oflag=direct status=none',
    `python3 -c "import mmap; f = open('f', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[7:11] = b'mmap'; m.flush()"`,
    'printf all >f',
  ];
  for (const writer of [one, two]) {
    await one.sh(`seq 10000 | head -c ${bytes} >f; seq 20000 30000 | head -c 40960 >other`);
    const file = await two.open(t, 'f', 'r');
    await contentOf(file);
    for (const change of changes) {
      await writer.sh(change);
      const before = await contentOf(file);
      t.is(before, await readFile(one.path('f'), 'latin1'), `${change}, as it is open`);
      t.is(before, await readFile(two.path('f'), 'latin1'), `${change}, by name`);
      t.is(before, await two.run('dd', 'if=f', 'bs=64K', 'iflag=direct', 'status=none'), change);
    }
    await file.close();
  }
}

const changers = ['dd', 'fallocate', 'python3'];

mountTest(
  'whatever changes the bytes of a file on either mount is seen by who has read it before',
  (t) => seeEachChange(t, keepPages, 40_000),
  changers,
);

mountTest(
  'whatever changes the bytes of a small file, and makes it a large one, is seen by who has read it',
  (t) => seeEachChange(t, [], 12_000),
  changers,
);

mountTest(
  'a mapping and sendfile show what was written elsewhere since they last read',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1 }, keepPages);
    const two = await Mounted.on(t, one.cluster, 'mnt2', keepPages);
    await writeFile(one.path('f'), 'old');
    const script = `
import mmap, os, sys
there, here, copy = sys.argv[1:]
file = os.open(here, os.O_RDONLY)
mapping = mmap.mmap(file, 3, prot=mmap.PROT_READ)
def seen():
    out = os.open(copy, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.sendfile(out, file, 0, 3)
    return mapping[:3], os.pread(out, 3, 0)
assert seen() == (b'old', b'old'), seen()
writer = os.open(there, os.O_WRONLY)
os.pwrite(writer, b'new', 0)
os.close(writer)
assert seen() == (b'new', b'new'), seen()`;
    const copy = join(one.cluster.directory, 'copy');
    await t.notThrowsAsync(one.run('python3', '-c', script, one.path('f'), two.path('f'), copy));
  },
  ['python3'],
);

/** What stands from there on in a file that is open, at this moment. */
function contentFrom(file: number, position: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  const bytes = readSync(file, buffer, 0, buffer.length, position);
  return buffer.toString('latin1', 0, bytes);
}

/** Changes a file again and again, and gives the descriptor that may stay open to each change. */
function changeOften(path: string, staysOpen: boolean, change: (file: number, i: number) => void) {
  const flags = constants.O_RDWR | constants.O_APPEND;
  let file = staysOpen ? openSync(path, flags) : -1;
  try {
    for (let i = 1; i <= 400; i++) {
      if (!staysOpen) file = openSync(path, flags);
      try {
        change(file, i);
      } finally {
        if (!staysOpen) closeSync(file);
      }
    }
  } finally {
    if (staysOpen) closeSync(file);
  }
}

for (const staysOpen of [false, true]) {
  const writer = staysOpen ? 'keeps the file open' : 'closes the file each time';
  mountTest(`each read sees the new end of a file, of a writer who ${writer}`, async (t) => {
    const one = await Mounted.start(t, { iods: 2 }, keepPages);
    const two = await Mounted.on(t, one.cluster, 'mnt2', keepPages);
    await writeFile(one.path('f'), 'begin');
    const { fd } = await two.open(t, 'f', 'r');
    let content = contentFrom(fd, 0);
    t.is(content, 'begin');
    const wrong: string[] = [];
    const look = (what: string, at: number): void => {
      const seen = contentFrom(fd, at);
      if (seen !== content.slice(at)) wrong.push(`${what}: ${seen.length} bytes from ${at} on`);
    };
    changeOften(one.path('f'), staysOpen, (file, i) => {
      const more = `more ${i} ${'.'.repeat(i % 7)}`;
      const end = content.length;
      writeSync(file, more);
      content += more;
      look(`append ${i} to ${content.length}`, end);
      if (i % 3 === 0) look(`append ${i}, from the beginning`, 0);
    });
    changeOften(one.path('f'), staysOpen, (file, i) => {
      content = content.slice(0, -(1 + (i % 9)));
      ftruncateSync(file, content.length);
      look(`cut ${i} to ${content.length}`, Math.max(0, content.length - 10));
      look(`cut ${i}, at the end`, content.length);
    });
    t.deepEqual(wrong.slice(0, 10), []);
    t.is(wrong.length, 0);
  });
}

mountTest(
  'times are told as they are, also of a file that is read while others write',
  async (t) => {
    const one = await Mounted.start(t, { iods: 1 }, keepPages);
    const two = await Mounted.on(t, one.cluster, 'mnt2', keepPages);
    await writeFile(one.path('f'), 'old');
    const { fd } = await two.open(t, 'f', 'r');
    t.is(contentFrom(fd, 0), 'old');
    for (let i = 1; i <= 50; i++) {
      const writer = openSync(one.path('f'), 'r+');
      writeSync(writer, contentIn(i));
      closeSync(writer);
      if (i % 2 === 0) utimesSync(one.path('f'), 1000, 1000 + i);
      const { mtimeNs } = statSync(one.path('f'), { bigint: true });
      for (let again = 0; again < 3; again++) {
        t.is(contentFrom(fd, 0), contentIn(i));
        t.is(fstatSync(fd, { bigint: true }).mtimeNs, mtimeNs);
        t.is(statSync(two.path('f'), { bigint: true }).mtimeNs, mtimeNs);
      }
    }
  },
);

mountTest('a mount that is stopped shows no bytes that were over', async (t) => {
  const one = await Mounted.start(t, { iods: 1 }, keepPages);
  const two = await Mounted.on(t, one.cluster, 'mnt2', keepPages);
  await writeFile(one.path('f'), 'old');
  const file = await two.open(t, 'f', 'r');
  t.is(await contentOf(file), 'old');
  process.kill(two.pid, 'SIGSTOP');
  let seen: Promise<string>;
  try {
    await writeFile(one.path('f'), 'new', { flag: 'r+' });
    // The kernel alone answers nothing any more.
    seen = contentOf(file);
  } finally {
    process.kill(two.pid, 'SIGCONT');
  }
  t.is(await seen, 'new');
});

async function readWhileKilled(t: ExecutionContext, options: readonly string[]): Promise<void> {
  const one = await Mounted.start(t, { iods: 2 }, options);
  const mounts = [one, await Mounted.on(t, one.cluster, 'mnt2', options)];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  await writeFile(one.path('f'), contentIn(0));
  let finished = 0;
  let looks = 0;
  const writer = async (): Promise<void> => {
    for (let state = 1; !stop.signal.aborted; state++) {
      const own = mounts[state % 2] ?? one;
      const file = await own.open(t, 'f', 'r+');
      await file.write(contentIn(state), 0);
      await file.close();
      if (state % 5 === 0) {
        await writeFile(own.path('g'), contentIn(state));
        await rename(own.path('g'), own.path('f'));
      }
      finished = state;
    }
  };
  const reader = async (own: Mounted): Promise<void> => {
    while (!stop.signal.aborted) {
      const file = await own.open(t, 'f', 'r');
      const { ino } = await file.stat();
      for (let i = 0; i < 10; i++) {
        const since = finished;
        const seen = Number(await contentOf(file));
        // One that another has taken the place of stays as it is.
        if (seen < since && (await stat(own.path('f'))).ino === ino) {
          throw new Error(`read ${seen} where ${since} was finished`);
        }
        looks++;
      }
      await file.close();
    }
  };
  // No more at a time: a thread is left for whoever starts a daemon, for which the others wait.
  const work = Promise.all([writer(), ...mounts.map(reader)]);
  await killInTurn(one.cluster, work, () => finished);
  stop.abort();
  await t.notThrowsAsync(work);
  t.true(looks > finished);
}

mountTest('bytes of a small file that are over are read by nobody, whoever is killed', (t) =>
  readWhileKilled(t, []),
);

mountTest('bytes in pages that are over are read by nobody, whoever is killed', (t) =>
  readWhileKilled(t, keepPages),
);
