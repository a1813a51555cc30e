/** Files that begin in the mgr's store and move to the iods, and what may happen on the way. */
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import { readAll, Stage, type StageOptions } from './stage.ts';

const smallFileBytes = 1000;
const small = Buffer.alloc(600, 1);
const large = Buffer.alloc(5000, 2);
/** One file over two iods, from the first one on. */
const layout = { base: 0, pcount: 2, ssize: 4096 };

function stageOf(options: Partial<StageOptions> = {}): Stage {
  return new Stage({ seed: 1, iods: 2, programs: 2, smallFileBytes, ...options });
}

async function begin(stage: Stage): Promise<readonly [FileSystem, FileSystem]> {
  const joined = [await stage.join(0), await stage.join(1)] as const;
  await stage.untilServing(0, joined[0]);
  return joined;
}

/** What any program reads of the file in the end. */
async function contentOf(stage: Stage, program: number, fs: FileSystem): Promise<Buffer> {
  return stage.run(program, () => fs.readFile('/f'));
}

test('a small file is written, read and removed without a word to an iod about its bytes', async (t) => {
  const stage = stageOf();
  const [a, b] = await begin(stage);
  await stage.run(0, () => a.writeFile('/f', small, { layout }));
  t.deepEqual(await contentOf(stage, 1, b), small);
  for (const { process } of stage.cluster.iods) process.kill();
  t.deepEqual(await contentOf(stage, 1, b), small, 'while no iod is there');
  await stage.run(1, () => b.writeFile('/f', small.subarray(0, 10)));
  t.is((await contentOf(stage, 0, a)).length, 10);
  await stage.run(1, () => b.unlink('/f'));
  t.is(stage.cluster.store?.pendingCount(), 0);
  t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
});

test('a client that has it open goes on at the iods when another has moved it', async (t) => {
  const stage = stageOf();
  const [a, b] = await begin(stage);
  const mine = await stage.run(0, () => a.open('/f', 'w+', { layout }));
  const theirs = await stage.run(1, () => b.open('/f', 'r+'));
  await stage.run(0, () => mine.write(small, 0));
  await stage.run(1, () => theirs.write(large, small.length));
  t.is(stage.objectsAt(0).length, 1);
  t.deepEqual(await stage.run(0, () => readAll(mine, 10_000)), Buffer.concat([small, large]));
  await stage.run(0, () => mine.write(small, 'end'));
  t.is((await stage.run(1, () => theirs.stat())).size, 2 * small.length + large.length);
  await stage.run(0, () => mine.close());
  await stage.run(1, () => theirs.close());
  t.is((await contentOf(stage, 0, a)).length, 2 * small.length + large.length);
});

test('two clients that make it too long at the same time both find room', async (t) => {
  const stage = stageOf();
  const [a, b] = await begin(stage);
  const mine = await stage.run(0, () => a.open('/f', 'a+', { layout }));
  const theirs = await stage.run(1, () => b.open('/f', 'a+'));
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 5; i++) {
    writes.push(stage.begin(0, () => mine.write(Buffer.alloc(300, 10 + i))));
    writes.push(stage.begin(1, () => theirs.write(Buffer.alloc(300, 20 + i))));
  }
  await stage.settle(Promise.all(writes));
  await stage.run(0, () => mine.close());
  await stage.run(1, () => theirs.close());
  const content = await contentOf(stage, 0, a);
  const values = Array.from({ length: 10 }, (_, i) => content[i * 300] ?? 0);
  t.deepEqual(
    values.toSorted((x, y) => x - y),
    [10, 11, 12, 13, 14, 20, 21, 22, 23, 24],
  );
  t.true(
    values.every((value, i) => content.subarray(i * 300, i * 300 + 300).every((x) => x === value)),
  );
});

const points: readonly KillPoint[] = [
  'mgr.move.begun',
  'mgr.move.placed',
  'iod.place.before-disk',
  'iod.place.after-disk',
];

for (const point of points) {
  for (const powerLoss of [false, true]) {
    test(`death at ${point} ${powerLoss ? 'by power loss' : 'by kill -9'} is a pause for who moves a file`, async (t) => {
      const stage = stageOf();
      const [a, b] = await begin(stage);
      const mine = await stage.run(0, () => a.open('/f', 'w+', { layout }));
      const theirs = await stage.run(1, () => b.open('/f', 'r'));
      await stage.run(0, () => mine.write(small, 0));
      await stage.run(0, () => mine.sync());
      stage.world.killAt({ point, restartAfterMs: 100, powerLoss });
      await stage.run(0, () => mine.write(large, small.length));
      const whole = Buffer.concat([small, large]);
      t.deepEqual(await stage.run(1, () => readAll(theirs, 10_000)), whole);
      await stage.run(0, () => mine.close({ sync: true }));
      await stage.run(1, () => theirs.close());
      t.deepEqual(await contentOf(stage, 1, b), whole);
      await stage.run(1, () => b.unlink('/f'));
      await stage.pass(2000);
      t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
    });
  }
}

test('what is left of a move that was cut goes with the file', async (t) => {
  const stage = stageOf({ sessionLeaseMs: 2000 });
  const [a, b] = await begin(stage);
  const mine = await stage.run(0, () => a.open('/f', 'w+', { layout }));
  await stage.run(0, () => mine.write(small, 0));
  stage.world.killAt({ point: 'mgr.move.placed', restartAfterMs: 100 });
  const moving = stage.begin(0, () => mine.write(large, 0, { deadlineMs: 200 }));
  moving.catch(() => undefined);
  await stage.pass(50);
  stage.program(0).kill();
  await stage.pass(60_000);
  t.is(stage.objectsAt(0).length, 1);
  t.deepEqual(await contentOf(stage, 1, b), small);
  await stage.run(1, () => b.unlink('/f'));
  await stage.pass(2000);
  t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
});

test('an iod that is away keeps nobody from a small file, and a large write waits for it', async (t) => {
  const stage = stageOf();
  const [a, b] = await begin(stage);
  const mine = await stage.run(0, () => a.open('/f', 'w+', { layout }));
  await stage.run(0, () => mine.write(small, 0));
  const iod = stage.iod(0).process;
  iod.kill();
  await t.throwsAsync(
    stage.run(0, () => mine.write(large, 0, { deadlineMs: 1000 })),
    { code: 'ETIMEDOUT' },
  );
  const less = small.subarray(0, 10);
  await stage.run(0, () => mine.write(less, 0, { deadlineMs: 1000 }));
  t.deepEqual(await contentOf(stage, 1, b), small);
  const writing = stage.begin(0, () => mine.write(large, 0));
  await stage.pass(1000);
  iod.start();
  await stage.settle(writing);
  t.deepEqual(await contentOf(stage, 1, b), large);
  await stage.run(0, () => mine.close());
});

test('a truncation that makes it longer than it may be at the mgr moves it first', async (t) => {
  const stage = stageOf();
  const [a, b] = await begin(stage);
  await stage.run(0, () => a.writeFile('/f', small, { layout }));
  await stage.run(0, () => a.truncate('/f', 5000));
  t.deepEqual(await contentOf(stage, 1, b), Buffer.concat([small], 5000));
  await stage.run(1, () => b.truncate('/f', 3));
  t.deepEqual(await contentOf(stage, 0, a), small.subarray(0, 3));
});
