/** A program that writes a file in order is answered before the iods have it; nobody sees less (decision 24). */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { killInTurn } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';

const pieceBytes = 3000;
/** Larger than any file that the mgr keeps. */
const firstBytes = 300_000;

/** What is there: each byte tells where it is. */
function contentOf(from: number, length: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length }, (_, i) => ((from + i) * 7 + ((from + i) >> 8)) & 0xff),
  );
}

/** Writes on, in order. @returns how far */
async function writeOn(file: FileHandle, from: number, pieces: number): Promise<number> {
  let at = from;
  for (let i = 0; i < pieces; i++) {
    await file.write(contentOf(at, pieceBytes), 0, pieceBytes, at);
    at += pieceBytes;
  }
  return at;
}

async function begin(one: Mounted, name: string): Promise<FileHandle> {
  const file = await open(one.path(name), 'w+');
  await file.write(contentOf(0, firstBytes), 0, firstBytes, 0);
  return file;
}

mountTest(
  'what was written in order is seen elsewhere at once, and by the program itself',
  async (t) => {
    const one = await Mounted.start(t, { iods: 2 });
    const two = await Mounted.on(t, one.cluster, 'mnt2');
    for (let round = 0; round < 8; round++) {
      const name = `f-${round}`;
      const file = await begin(one, name);
      t.teardown(() => file.close().catch(() => undefined));
      const end = await writeOn(file, firstBytes, 40 + round);
      if (round % 4 === 0) t.is((await stat(two.path(name))).size, end);
      if (round % 4 === 1) t.is((await file.stat()).size, end);
      if (round % 4 === 2) {
        const last = Buffer.alloc(pieceBytes);
        await file.read(last, 0, pieceBytes, end - pieceBytes);
        t.deepEqual(last, contentOf(end - pieceBytes, pieceBytes));
      }
      t.deepEqual(await readFile(two.path(name)), contentOf(0, end));
      // Somewhere in it, and then on from there: over what may be on its way.
      await file.write(Buffer.alloc(10_000, 1), 0, 10_000, end - 20_000);
      await file.write(Buffer.alloc(10_000, 2), 0, 10_000, end - 15_000);
      await file.truncate(end - 6000);
      await file.close();
      const expected = contentOf(0, end - 6000).fill(1, end - 20_000, end - 15_000);
      t.deepEqual(await readFile(two.path(name)), expected.fill(2, end - 15_000));
    }
  },
);

mountTest('whichever daemon is killed, nobody sees less than was answered', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const file = await begin(one, 'f');
  t.teardown(() => file.close().catch(() => undefined));
  let answered = firstBytes;
  const writer = async (): Promise<void> => {
    while (!stop.signal.aborted) answered = await writeOn(file, answered, 1);
  };
  const reader = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const least = answered;
      const from = least - 2 * pieceBytes;
      const other = await open(two.path('f'), 'r');
      const bytes = Buffer.alloc(2 * pieceBytes);
      const { bytesRead } = await other.read(bytes, 0, bytes.length, from);
      await other.close();
      t.is(bytesRead, bytes.length);
      t.deepEqual(bytes, contentOf(from, bytes.length));
    }
  };
  const work = Promise.all([writer(), reader()]);
  await killInTurn(one.cluster, work, () => answered / pieceBytes);
  stop.abort();
  await t.notThrowsAsync(work);
  await file.close();
  t.deepEqual(await readFile(two.path('f')), contentOf(0, answered));
});

mountTest('what was synced outlives a mount that is killed while it writes', async (t) => {
  const one = await Mounted.start(t, { iods: 1, sessionLeaseMs: 3000 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  const file = await begin(one, 'f');
  t.teardown(() => file.close().catch(() => undefined));
  const synced = await writeOn(file, firstBytes, 50);
  await file.sync();
  const last = await writeOn(file, synced, 50);
  one.kill();
  const seen = await readFile(two.path('f'));
  t.true(seen.length >= synced && seen.length <= last);
  t.deepEqual(seen.subarray(0, synced), contentOf(0, synced));
});

mountTest('lines that two mounts append are there once, whichever daemon is killed', async (t) => {
  const one = await Mounted.start(t, { iods: 2 });
  const two = await Mounted.on(t, one.cluster, 'mnt2');
  await (await begin(one, 'log')).close();
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const writers = [
    { name: 'one', mount: one, lines: 0 },
    { name: 'two', mount: two, lines: 0 },
  ];
  // Alone with the file as long as the other opens and closes it.
  const append = async (writer: { name: string; mount: Mounted; lines: number }): Promise<void> => {
    while (!stop.signal.aborted) {
      const log = await open(writer.mount.path('log'), 'a');
      for (let i = 0; i < 50; i++) await log.write(`${writer.name} ${writer.lines++}\n`);
      await log.close();
    }
  };
  const work = Promise.all(writers.map(append));
  await killInTurn(one.cluster, work, () => Math.min(...writers.map(({ lines }) => lines)) / 50);
  stop.abort();
  await t.notThrowsAsync(work);
  const text = (await readFile(one.path('log'))).subarray(firstBytes).toString();
  for (const { name, lines } of writers) {
    const own = text.split('\n').filter((line) => line.startsWith(name));
    t.deepEqual(
      own,
      Array.from({ length: lines }, (_, i) => `${name} ${i}`),
    );
  }
  t.is(text.split('\n').length, 1 + writers.reduce((sum, { lines }) => sum + lines, 0));
});
