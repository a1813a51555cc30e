/** The library with `writeBehind` (decision 26): what is answered early, what is not, and what becomes of failures. */
import test, { type ExecutionContext } from 'ava';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import { askedBy } from './asked.ts';
import { on, readAll, Stage } from './stage.ts';

const pieceBytes = 16_384;
/** So much is written before a file is asked for. */
const firstPieces = limits.gatheredAfterBytes / pieceBytes;
const piece = (letter: string): Buffer => Buffer.alloc(pieceBytes, letter);

interface Scene {
  readonly stage: Stage;
  readonly fs: FileSystem;
  readonly other: FileSystem;
  readonly file: File;
  /** Of the mgr. */
  readonly asked: readonly string[];
  /** Ends at this piece what is written in order. */
  readonly pieces: number;
}

/** A file of which so much was written in order that it is lent to its writer. */
async function lent(t: ExecutionContext, seed: number): Promise<Scene> {
  const stage = new Stage({ seed, iods: 1, programs: 2 });
  const fs = await stage.join(0, 0, { writeBehind: true });
  const other = await stage.join(1);
  const asked = askedBy(fs.session);
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: on(0) }));
  const pieces = firstPieces + limits.gatheredAfter;
  await stage.run(0, async () => {
    for (let i = 0; i < pieces; i++) await file.write(piece('a'), i * pieceBytes);
  });
  await stage.pass(100);
  t.deepEqual(
    stage.cluster.store?.lent().map(({ handle }) => handle),
    [file.handle],
  );
  return { stage, fs, other, file, asked, pieces };
}

/** Nothing that is sent to iods comes there. */
function cutOff({ stage }: Scene): void {
  stage.world.network.partition('program0', 'iod0');
}

function heal({ stage }: Scene): void {
  stage.world.network.heal('program0', 'iod0');
}

function lastPieces({ stage, other, pieces }: Scene, count: number): Promise<Buffer> {
  return stage.run(1, async () => {
    const all = await other.readFile('/f');
    return all.subarray(pieces * pieceBytes, (pieces + count) * pieceBytes);
  });
}

const letters = (bytes: Buffer): string => [...new Set(bytes.toString())].join('');

test('a write that follows another is answered while the iod cannot be reached', async (t) => {
  const scene = await lent(t, 1);
  const { stage, file, pieces } = scene;
  cutOff(scene);
  const write = stage.run(0, () =>
    file.write([piece('b'), piece('c')], pieces * pieceBytes, { deadlineMs: 100 }),
  );
  t.deepEqual(await write, { position: pieces * pieceBytes, bytesWritten: 2 * pieceBytes });
  heal(scene);
  t.is(letters(await lastPieces(scene, 2)), 'bc', 'who looks sees it');
});

test('what else is done with the file waits for what was written', async (t) => {
  const scene = await lent(t, 2);
  const { stage, fs, file, pieces } = scene;
  const at = pieces * pieceBytes;
  const works: (() => Promise<unknown>)[] = [
    async () => t.is(letters((await readAll(file, at + pieceBytes)).subarray(at)), 'b'),
    async () => t.is((await file.stat()).size, at + pieceBytes),
    async () => t.is((await fs.stat('/f')).size, at + pieceBytes),
    async () => t.is((await fs.readFile('/f')).length, at + pieceBytes),
    () => file.setAttributes({ mode: 0o600 }),
    () => file.truncate(at),
    () => file.sync(),
  ];
  for (const work of works) {
    await stage.run(0, () => file.write(piece('b'), at));
    await stage.run(0, work);
  }
  await stage.run(0, () => file.truncate(at));
  t.is((await stage.run(1, () => scene.other.stat('/f'))).size, at, 'nothing came behind the cut');
});

test('what cannot be written fails as ever, and is not kept', async (t) => {
  const { stage, fs, file, pieces } = await lent(t, 3);
  const { reader } = await stage.run(0, async () => ({ reader: await fs.open('/f') }));
  const write = (to: File, position: number) => stage.run(0, () => to.write(piece('x'), position));
  const wrong = { message: /write '\/f'/ };
  await t.throwsAsync(write(reader, pieces * pieceBytes), { ...wrong, code: 'EBADF' });
  await t.throwsAsync(write(file, -1), { ...wrong, code: 'EINVAL' });
  await t.throwsAsync(write(file, limits.fileBytesMax - 1), { ...wrong, code: 'EFBIG' });
  await stage.run(0, () => file.close());
  await t.throwsAsync(write(file, pieces * pieceBytes), { ...wrong, code: 'EBADF' });
  t.is((await stage.run(0, () => reader.stat())).size, pieces * pieceBytes);
  await stage.run(0, () => reader.close());
});

test('a file that two of one program have open is one file', async (t) => {
  const { stage, fs, file, pieces } = await lent(t, 4);
  const at = pieces * pieceBytes;
  const second = await stage.run(0, () => fs.open('/f', 'r+'));
  await stage.run(0, async () => {
    await file.write(piece('b'), at);
    await second.write(piece('c'), at + pieceBytes);
    await file.write(piece('d'), at + 2 * pieceBytes);
    await second.write(piece('e'), at + pieceBytes);
  });
  await stage.run(0, () => file.close());
  const seen = await stage.run(0, () => readAll(second, at + 3 * pieceBytes));
  t.is(letters(seen.subarray(at)), 'bed');
  await stage.run(0, () => second.close());
  t.is(stage.openCount, 0);
});

const tellers: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  write: ({ file }) => file.write(piece('c'), 0),
  sync: ({ file }) => file.sync(),
  close: ({ file }) => file.close(),
  'the end of all': ({ fs }) => fs.close(),
};

for (const [by, told] of Object.entries(tellers)) {
  test(`a write that fails after it was answered is told by ${by}`, async (t) => {
    const scene = await lent(t, 5);
    const { stage, fs, file, pieces } = scene;
    stage.iod(0).host.disk.fail({ operation: 'write', errno: 'ENOSPC', times: 1 });
    await stage.run(0, () => file.write(piece('b'), pieces * pieceBytes));
    if (by === 'write') await stage.pass(1000);
    const failure = await t.throwsAsync(
      stage.run(0, () => told(scene)),
      { code: 'ENOSPC' },
    );
    t.regex(failure.message, /write '\/f'/);
    if (by === 'the end of all') return;
    await t.notThrowsAsync(
      stage.run(0, () => fs.close()),
      'once',
    );
  });
}

test('who ends all without having closed a file has written it', async (t) => {
  const scene = await lent(t, 6);
  const { stage, fs, file, pieces } = scene;
  await stage.run(0, () => file.write(piece('b'), pieces * pieceBytes));
  await stage.run(0, () => fs.close());
  t.is(letters(await lastPieces(scene, 1)), 'b');
  t.deepEqual(stage.cluster.store?.lent(), []);
});

test('who appends is answered while the iod cannot be reached, and his bytes are behind all others', async (t) => {
  const scene = await lent(t, 7);
  const { stage, fs, other, file, pieces } = scene;
  const at = pieces * pieceBytes;
  await stage.run(0, () => file.close());
  const log = await stage.run(0, () => fs.open('/f', 'a'));
  await stage.run(0, async () => {
    for (let i = 0; i <= limits.gatheredAfter; i++) await log.write(piece('b'));
  });
  await stage.pass(100);
  const end = at + (limits.gatheredAfter + 1) * pieceBytes;
  cutOff(scene);
  const write = stage.run(0, () => log.write([piece('c'), piece('d')], 0, { deadlineMs: 100 }));
  t.deepEqual(await write, { position: end, bytesWritten: 2 * pieceBytes });
  heal(scene);
  await stage.run(1, () => other.appendFile('/f', piece('e')));
  await stage.run(0, () => log.write(piece('f')));
  const all = await stage.run(1, () => other.readFile('/f'));
  t.is(letters(all.subarray(at)), 'bcdef');
  t.is(all.length, end + 4 * pieceBytes);
  await stage.run(0, () => log.close());
});

test('a file that is opened to be durable is written through', async (t) => {
  const { stage, fs, file, asked } = await lent(t, 10);
  await stage.run(0, () => file.close());
  const before = asked.length;
  await stage.run(0, async () => {
    const durable = await fs.open('/f', 'rs+');
    for (let i = 0; i < 2 * firstPieces; i++) await durable.write(piece('b'), i * pieceBytes);
    await durable.close();
  });
  t.false(asked.slice(before).includes('borrow'));
});

test('a call of more than a piece is there when it is answered', async (t) => {
  const scene = await lent(t, 8);
  const { stage, file, pieces } = scene;
  const long = Buffer.alloc(limits.gatheredBytes + 1, 'b');
  cutOff(scene);
  const write = stage.run(0, () => file.write(long, pieces * pieceBytes, { deadlineMs: 3000 }));
  await t.throwsAsync(write, { code: 'ETIMEDOUT' });
  heal(scene);
});

test('names and attributes are not cached: others need not ask for them', async (t) => {
  const { stage, fs, other } = await lent(t, 9);
  await stage.run(0, () => fs.mkdir('/d'));
  await stage.run(0, () => fs.stat('/d'));
  stage.program(0).pause();
  const changing = stage.timed(stage.begin(1, () => other.chmod('/d', 0o700)));
  t.true((await changing).tookMs < 1000);
  stage.program(0).resume();
});
