/** Scratch files that remove themselves: a while after their last close, whoever dies meanwhile. */
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { isFsError } from '../../shared/errno.ts';
import { on, Stage } from './stage.ts';

const seconds = 10;

interface Scratch {
  readonly stage: Stage;
  readonly fs: FileSystem;
  readonly others: readonly FileSystem[];
}

async function scratch(programs = 1): Promise<Scratch> {
  const stage = new Stage({ seed: 1, iods: 2, programs, sessionLeaseMs: 5_000 });
  const [fs, ...others] = await stage.joinAll();
  if (fs === undefined) throw new Error('nobody has joined');
  await stage.run(0, async () => {
    await fs.mkdir('/scratch');
    await fs.setDefaults('/scratch', { retentionSeconds: seconds });
    await fs.mkdir('/scratch/below');
    await fs.mkdir('/kept');
  });
  return { stage, fs, others };
}

async function make(stage: Stage, fs: FileSystem, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    await stage.run(0, () => fs.writeFile(path, 'content', { layout: on(0) }));
  }
}

async function found(stage: Stage, fs: FileSystem, ...paths: string[]): Promise<boolean[]> {
  const exists = (path: string): Promise<boolean> =>
    fs.stat(path).then(
      () => true,
      (error: unknown) => {
        if (isFsError(error) && error.code === 'ENOENT') return false;
        throw error;
      },
    );
  return stage.run(0, () => Promise.all(paths.map(exists)));
}

/** Nothing of the bytes is left either. */
async function requireNoObjects(t: ExecutionContext, stage: Stage): Promise<void> {
  await stage.pass(2_000);
  t.deepEqual(stage.objectsAt(0), []);
}

test('a file of such a directory, or below it, goes so long after its last close, and no other does', async (t) => {
  const { stage, fs } = await scratch();
  await make(stage, fs, '/scratch/a', '/scratch/below/b', '/kept/c');
  await stage.run(0, () => fs.link('/scratch/a', '/kept/a'));
  const paths = ['/scratch/a', '/scratch/below/b', '/kept/c', '/kept/a'];
  await stage.pass((seconds - 1) * 1000);
  t.deepEqual(await found(stage, fs, ...paths), [true, true, true, true]);
  await stage.pass(2_000);
  t.deepEqual(await found(stage, fs, ...paths), [false, false, true, true]);
  t.is((await stage.run(0, () => fs.readFile('/kept/a'))).toString(), 'content');
  await stage.run(0, () => fs.unlink('/kept/c'));
  await stage.run(0, () => fs.unlink('/kept/a'));
  await requireNoObjects(t, stage);
});

test('while somebody has it open it stays, and each close begins the time anew', async (t) => {
  const { stage, fs } = await scratch();
  await make(stage, fs, '/scratch/a');
  await stage.pass((seconds - 1) * 1000);
  const file = await stage.run(0, () => fs.open('/scratch/a'));
  await stage.pass(3 * seconds * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [true]);
  await stage.run(0, () => file.close());
  await stage.pass((seconds - 1) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [true]);
  await stage.pass(2_000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [false]);
  await requireNoObjects(t, stage);
});

test('after a start of the mgr the time begins anew, also for what others still have open (SCENARIOS 181)', async (t) => {
  const { stage, fs } = await scratch();
  await make(stage, fs, '/scratch/a', '/scratch/below/b');
  const file = await stage.run(0, () => fs.open('/scratch/below/b'));
  await stage.pass((seconds - 1) * 1000);
  stage.bounce(stage.cluster.mgr, 500);
  await stage.pass((seconds - 2) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a', '/scratch/below/b'), [true, true]);
  await stage.pass(4_000);
  t.deepEqual(await found(stage, fs, '/scratch/a', '/scratch/below/b'), [false, true]);
  await stage.run(0, () => file.close());
  await stage.pass((seconds + 1) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/below/b'), [false]);
  await requireNoObjects(t, stage);
});

test('a program that dies with such a file open leaves it for so long after its lease, an iod that is away does not keep it', async (t) => {
  const { stage, fs, others } = await scratch(2);
  const [other] = others;
  if (other === undefined) throw new Error('the other has not joined');
  await make(stage, fs, '/scratch/a');
  await stage.run(1, () => other.open('/scratch/a'));
  stage.program(1).kill();
  await stage.pass((seconds - 1) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [true]);
  stage.iod(0).process.kill();
  await stage.pass(60_000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [false]);
  stage.iod(0).process.start();
  await stage.pass(10_000);
  await requireNoObjects(t, stage);
});

test('without a time of its own again a directory keeps what is made in it', async (t) => {
  const { stage, fs } = await scratch();
  await make(stage, fs, '/scratch/a');
  await stage.run(0, () => fs.setDefaults('/scratch', {}));
  await make(stage, fs, '/scratch/b');
  await stage.pass(3 * seconds * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a', '/scratch/b'), [true, true]);
});

test('a file with names in two such directories loses each at its own time', async (t) => {
  const { stage, fs } = await scratch();
  await stage.run(0, () => fs.mkdir('/long'));
  await stage.run(0, () => fs.setDefaults('/long', { retentionSeconds: 3 * seconds }));
  await make(stage, fs, '/scratch/a', '/long/b');
  await stage.run(0, () => fs.link('/scratch/a', '/long/a'));
  await stage.run(0, () => fs.link('/long/b', '/scratch/b'));
  await stage.run(0, () => fs.readFile('/long/b'));
  const paths = ['/scratch/a', '/scratch/b', '/long/a', '/long/b'];
  await stage.pass((seconds + 1) * 1000);
  t.deepEqual(await found(stage, fs, ...paths), [false, false, true, true]);
  await stage.pass((2 * seconds - 2) * 1000);
  t.deepEqual(await found(stage, fs, ...paths), [false, false, true, true]);
  await stage.pass(2 * seconds * 1000);
  t.deepEqual(await found(stage, fs, ...paths), [false, false, false, false]);
  await requireNoObjects(t, stage);
});

test('a time that is lengthened, or a move to where it is longer, counts for a file that waits already', async (t) => {
  const { stage, fs } = await scratch();
  await stage.run(0, () => fs.mkdir('/long'));
  await stage.run(0, () => fs.setDefaults('/long', { retentionSeconds: 3 * seconds }));
  await make(stage, fs, '/scratch/a', '/scratch/b');
  await stage.pass((seconds - 1) * 1000);
  await stage.run(0, () => fs.rename('/scratch/b', '/long/b'));
  await stage.run(0, () => fs.setDefaults('/scratch', { retentionSeconds: 3 * seconds }));
  await stage.pass((seconds + 1) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a', '/long/b'), [true, true]);
  await stage.pass(3 * seconds * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a', '/long/b'), [false, false]);
  await requireNoObjects(t, stage);
});

test('a file that is moved to where the time is shorter, and used there, waits for that time from its last close', async (t) => {
  const { stage, fs } = await scratch();
  await stage.run(0, () => fs.mkdir('/long'));
  await stage.run(0, () => fs.setDefaults('/long', { retentionSeconds: 3 * seconds }));
  await make(stage, fs, '/long/a');
  await stage.pass((3 * seconds - 5) * 1000);
  await stage.run(0, () => fs.rename('/long/a', '/scratch/a'));
  await stage.run(0, () => fs.readFile('/scratch/a'));
  await stage.pass((seconds - 1) * 1000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [true]);
  await stage.pass(2_000);
  t.deepEqual(await found(stage, fs, '/scratch/a'), [false]);
  await requireNoObjects(t, stage);
});
