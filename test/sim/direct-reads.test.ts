/**
 * Programs that read objects of an iod of their host without it (decision 17): they see what others
 * write, and get nothing that the iod would not give them. Whether they read so is told by an iod
 * that is stopped: nobody else answers then.
 */
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import type { File } from '../../client/file.ts';
import type { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { askIod } from './checkers.ts';
import { on, readAll, Stage } from './stage.ts';

const bytes = 3000;

interface Scene {
  readonly stage: Stage;
  readonly fs: FileSystem;
  /** Of program 0, which has read of it. */
  readonly file: File;
  /** Of program 1. */
  readonly writer: File;
}

/** Program 0 has the file open and reads it directly. */
async function scene(seed: number): Promise<Scene> {
  const stage = new Stage({ seed, iods: 2, programs: 2, beside: 0 });
  await stage.pass(2000);
  const [fs, other] = await stage.joinAll();
  if (fs === undefined || other === undefined) throw new Error('not all have joined');
  const writer = await stage.run(1, () => other.open('/f', 'w+', { layout: on(0) }));
  await write(stage, writer, 1);
  const file = await stage.run(0, () => fs.open('/f', 'r'));
  await becomeDirect(stage, file);
  return { stage, fs, file, writer };
}

function write(stage: Stage, file: File, value: number): Promise<unknown> {
  return stage.run(1, () => file.write(Buffer.alloc(bytes, value), 0));
}

function read(stage: Stage, file: File, deadlineMs = 60_000): Promise<Buffer> {
  return stage.run(0, async () => {
    const into = Buffer.alloc(bytes, 0xff);
    return into.subarray(0, await file.read(into, 0, { deadlineMs }));
  });
}

async function becomeDirect(stage: Stage, file: File): Promise<void> {
  for (let i = 0; i <= limits.sharedReadsBefore; i++) await read(stage, file);
  await stage.pass(limits.sharedReadAskMs + 10);
  await read(stage, file);
  await stage.pass(10);
}

/** Whether a read needs no iod. */
async function isDirect(stage: Stage, file: File): Promise<boolean> {
  const { process } = stage.iod(0);
  process.pause();
  try {
    await read(stage, file, 300);
    return true;
  } catch {
    return false;
  } finally {
    process.resume();
  }
}

test('a read that needs no iod sees each write and each cut that has returned', async (t) => {
  const { stage, file, writer } = await scene(1);
  t.true(await isDirect(stage, file));
  for (let value = 2; value < 40; value++) {
    await write(stage, writer, value);
    t.deepEqual(await read(stage, file), Buffer.alloc(bytes, value));
  }
  await stage.run(1, () => writer.truncate(10));
  t.deepEqual(await read(stage, file), Buffer.alloc(10, 39));
  await stage.run(1, () => writer.truncate(20));
  t.deepEqual(await read(stage, file), Buffer.concat([Buffer.alloc(10, 39), Buffer.alloc(10)]));
  await write(stage, writer, 1);
  t.true(await isDirect(stage, file));
});

test('an iod that is stopped is read no longer than it has given', async (t) => {
  const { stage, file } = await scene(2);
  stage.iod(0).process.pause();
  t.is((await read(stage, file, 300)).length, bytes);
  await stage.pass(limits.sharedReadMs);
  await t.throwsAsync(read(stage, file, 300), { code: 'ETIMEDOUT' });
  stage.iod(0).process.resume();
  t.is((await read(stage, file)).length, bytes);
});

test('an iod that was killed is read directly again, with what was written meanwhile (SCENARIOS 2)', async (t) => {
  for (let seed = 10; seed < 16; seed++) {
    const { stage, file, writer } = await scene(seed);
    stage.bounce(stage.iod(0).process, 700);
    const writing = stage.begin(1, () => writer.write(Buffer.alloc(bytes, 9), 0));
    t.is((await read(stage, file)).length, bytes);
    await stage.settle(writing);
    t.deepEqual(await read(stage, file), Buffer.alloc(bytes, 9));
    await becomeDirect(stage, file);
    t.true(await isDirect(stage, file), `seed ${seed}`);
  }
});

test('a program that was stopped until its session was over reads nothing more (SCENARIOS 113)', async (t) => {
  const { stage, file, writer } = await scene(3);
  stage.program(0).pause();
  await stage.pass(2 * limits.sessionLeaseMs);
  await write(stage, writer, 7);
  const reading = stage.begin(0, () => readAll(file, bytes));
  stage.program(0).resume();
  const error = await t.throwsAsync<FsError>(stage.settle(reading));
  t.is(error?.code, 'ESTALE');
});

test('a fence ends what its session reads, and not what others do', async (t) => {
  const { stage, fs, file, writer } = await scene(4);
  const other = await stage.join(1);
  const kept = await stage.run(1, () => other.open('/f', 'r'));
  const readKept = (): Promise<Buffer> => stage.run(1, () => readAll(kept, bytes));
  for (let i = 0; i < 3; i++) await readKept();
  await stage.run(0, () => fs.close());
  await write(stage, writer, 5);
  t.deepEqual(await readKept(), Buffer.alloc(bytes, 5));
  await t.throwsAsync(read(stage, file));
});

test('a disk that hangs ends no program: its reads end by their deadlines, and go on (SCENARIOS 225)', async (t) => {
  const { stage, file } = await scene(5);
  const { disk } = stage.iod(0).host;
  disk.hang();
  const reading = stage.timed(stage.begin(0, () => outcomeOf(file, 2000)));
  const { tookMs, result } = await reading;
  t.is(result, 'ETIMEDOUT');
  t.true(tookMs < 2100, `${tookMs} ms`);
  disk.mend();
  t.is((await read(stage, file)).length, bytes);
});

async function outcomeOf(file: File, deadlineMs: number): Promise<string> {
  try {
    await file.read(Buffer.alloc(bytes), 0, { deadlineMs });
    return 'read';
  } catch (error) {
    return (error as FsError).code;
  }
}

test('what cannot be read directly is asked for, and the iod says why (SCENARIOS 217)', async (t) => {
  const { stage, file } = await scene(6);
  const { disk } = stage.iod(0).host;
  disk.fail({ errno: 'EIO', operation: 'read', path: '/objects/' });
  t.is((await read(stage, file)).length, bytes, 'the second attempt, by the iod');
  disk.fail({ errno: 'EIO', operation: 'read', path: '/objects/', times: 4 });
  await t.throwsAsync(read(stage, file), { code: 'EIO', message: /iod0/ });
});

test('an object that was set aside is read no more, and the one in its place is', async (t) => {
  const { stage, fs, file, writer } = await scene(7);
  const { handle } = file;
  const request = { handle, reason: 'a test' };
  await stage.run(1, (runtime) => askIod(stage.iod(0), runtime, 1, dataOps.setAside, request));
  t.is((await read(stage, file)).length, 0, 'as of one that was never written');
  await write(stage, writer, 4);
  t.deepEqual(await read(stage, file), Buffer.alloc(bytes, 4));
  await becomeDirect(stage, file);
  t.true(await isDirect(stage, file));
  await stage.run(0, () => fs.close());
});
