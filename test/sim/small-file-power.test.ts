/** A power loss under the mgr while small files are written: what may be gone, and who hears of it. */
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import { readAll, Stage } from './stage.ts';

const smallFileBytes = 1000;
const old = Buffer.alloc(600, 1);
const fresh = Buffer.alloc(600, 2);
const lost = { code: 'EIO', message: /host of the mgr was lost/ };

interface Scene {
  readonly stage: Stage;
  readonly a: FileSystem;
  readonly b: FileSystem;
}

/** Two clients; `/f` is there, and nothing of it is left to be stored. A power loss takes all it can. */
async function sceneOf(seed: number): Promise<Scene> {
  const stage = new Stage({ seed, iods: 2, programs: 2, smallFileBytes });
  stage.cluster.mgrDisk.keeps = 0;
  const [a, b] = await stage.joinAll();
  if (!a || !b) throw new Error('not all have joined');
  await stage.run(0, () => a.writeFile('/f', old));
  await stage.pass(2 * limits.relaxedCommitMs);
  return { stage, a, b };
}

async function losePower({ cluster, world }: Stage): Promise<void> {
  const { host } = cluster.mgr;
  cluster.cutPower(host);
  await world.run({ untilMs: world.nowMs + 200 });
  host.powerOn();
  cluster.mgr.start();
}

/** What any program reads of the file. */
function contentOf({ stage, b }: Scene): Promise<Buffer> {
  return stage.run(1, () => b.readFile('/f'));
}

test('a write that was not synced may be lost with the host of the mgr, and the next sync says so, once', async (t) => {
  const scene = await sceneOf(1);
  const { stage, a } = scene;
  const file = await stage.run(0, () => a.open('/f', 'r+'));
  await stage.run(0, () => file.write(fresh, 0));
  t.deepEqual(await contentOf(scene), fresh);
  await losePower(stage);
  t.deepEqual(await contentOf(scene), old);
  await t.throwsAsync(
    stage.run(0, () => file.sync()),
    lost,
  );
  await stage.run(0, () => file.sync());
  await stage.run(0, () => file.write(fresh, 0));
  await stage.run(0, () => file.sync());
  await losePower(stage);
  t.deepEqual(await contentOf(scene), fresh);
  await stage.run(0, () => file.close());
});

test('a write is there after a power loss when somebody has asked for the disk, or a second has passed', async (t) => {
  for (const how of ['sync', 'sync by others', 'a name', 'time', 'kill -9'] as const) {
    const scene = await sceneOf(2);
    const { stage, a, b } = scene;
    const file = await stage.run(0, () => a.open('/f', 'r+'));
    await stage.run(0, () => file.write(fresh, 0));
    if (how === 'sync') await stage.run(0, () => file.sync());
    if (how === 'sync by others') {
      const theirs = await stage.run(1, () => b.open('/f'));
      await stage.run(1, () => theirs.sync());
    }
    if (how === 'a name') await stage.run(1, () => b.mkdir('/d'));
    if (how === 'time') await stage.pass(limits.relaxedCommitMs + 100);
    if (how === 'kill -9') stage.bounce(stage.cluster.mgr, 100);
    else await losePower(stage);
    t.deepEqual(await contentOf(scene), fresh, how);
    if (how === 'sync' || how === 'kill -9') await stage.run(0, () => file.sync());
    await stage.run(0, () => file.close());
  }
});

test('who has synced, or written nothing, hears of no loss', async (t) => {
  const { stage, a } = await sceneOf(3);
  const [writer, reader, synced] = await stage.run(0, async () => [
    await a.open('/f', 'r+'),
    await a.open('/f', 'r'),
    await a.open('/g', 'w+'),
  ]);
  if (!writer || !reader || !synced) throw new Error('not all are open');
  await stage.run(0, () => synced.write(fresh, 0));
  await stage.run(0, () => synced.sync());
  await stage.run(0, () => writer.write(fresh, 0));
  await losePower(stage);
  await stage.run(0, () => reader.sync());
  await stage.run(0, () => synced.sync());
  await stage.run(0, () => writer.sync({ forOthers: true }));
  await t.throwsAsync(
    stage.run(0, () => writer.close({ sync: true })),
    lost,
  );
});

test('a sync for others makes durable what its file has written too', async (t) => {
  const scene = await sceneOf(9);
  const { stage, a } = scene;
  const file = await stage.run(0, () => a.open('/f', 'r+'));
  await stage.run(0, () => file.write(fresh, 0));
  await stage.run(0, () => file.sync({ forOthers: true }));
  await losePower(stage);
  t.deepEqual(await contentOf(scene), fresh);
  await stage.run(0, () => file.sync());
  await stage.run(0, () => file.close());
});

test('in a file opened so, a write is durable when it is answered', async (t) => {
  const scene = await sceneOf(4);
  const { stage, a } = scene;
  const file = await stage.run(0, () => a.open('/f', 'rs+'));
  await stage.run(0, () => file.write(fresh, 0));
  await losePower(stage);
  t.deepEqual(await contentOf(scene), fresh);
  await stage.run(0, () => file.sync());
  await stage.run(0, () => file.close());
});

test('a sync that is on its way when power is lost is no less true', async (t) => {
  for (const point of ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'] as const) {
    const scene = await sceneOf(5);
    const { stage, a } = scene;
    const file = await stage.run(0, () => a.open('/f', 'r+'));
    await stage.run(0, () => file.write(fresh, 0));
    stage.world.killAt({ point, process: 'mgr', powerLoss: true, restartAfterMs: 500 });
    const outcome = await stage.run(0, () =>
      file.sync().then(
        () => 'synced',
        ({ weftCode }) => weftCode as unknown,
      ),
    );
    if (outcome === 'synced') t.deepEqual(await contentOf(scene), fresh, point);
    else t.is(outcome, 'WEFT_E_DATA_LOST', point);
    await stage.run(0, () => file.close());
  }
});

test('a write that has no answer yet when power is lost is made again, and nothing is lost', async (t) => {
  for (const point of ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'] as const) {
    const scene = await sceneOf(6);
    const { stage, a } = scene;
    const file = await stage.run(0, () => a.open('/f', 'a+'));
    await stage.run(0, () => file.sync());
    stage.world.killAt({ point, process: 'mgr', powerLoss: true, restartAfterMs: 500 });
    t.like(await stage.run(0, () => file.write(Buffer.from('!'))), { position: 600 });
    await stage.run(0, () => file.sync());
    t.deepEqual(await contentOf(scene), Buffer.concat([old, Buffer.from('!')]), point);
    await stage.run(0, () => file.close());
  }
});

test('a file that takes the name of another has its bytes, whenever power is lost', async (t) => {
  for (const keeps of [0, 1, 2]) {
    const scene = await sceneOf(7);
    const { stage, a } = scene;
    stage.cluster.mgrDisk.keeps = keeps;
    await stage.run(0, () => a.writeFile('/new', fresh));
    const renaming = stage.begin(0, () => a.rename('/new', '/f'));
    await stage.settle(renaming);
    await losePower(stage);
    t.deepEqual(await contentOf(scene), fresh);
  }
});

test('what has moved to the iods is not lost with the host of the mgr', async (t) => {
  const { stage, a } = await sceneOf(8);
  const file = await stage.run(0, () => a.open('/f', 'r+'));
  await stage.run(0, () => file.write(fresh, 0));
  const more = Buffer.alloc(2 * smallFileBytes, 3);
  await stage.run(0, () => file.write(more, fresh.length));
  await losePower(stage);
  t.deepEqual(await stage.run(0, () => readAll(file, 10_000)), Buffer.concat([fresh, more]));
  await stage.run(0, () => file.sync());
  await stage.run(0, () => file.close());
});
