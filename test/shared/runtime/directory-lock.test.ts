import test, { type ExecutionContext } from 'ava';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FsError } from '../../../shared/errno.ts';
import { lockDirectory } from '../../../shared/runtime/node/directory-lock.ts';
import { temporaryDirectory } from './recorder.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

/** With the command, and on a host that has no such command. */
const means = { flock: 'flock', 'a socket name': 'no-such-command-here' };

/** Another process that locks, tells so, starts a child that outlives it, and waits. */
async function otherHolder(
  t: ExecutionContext,
  directory: string,
  flock: string,
): Promise<ChildProcess> {
  const module = moduleUrl('shared/runtime/node/directory-lock.ts');
  const script = `
    import { spawn } from 'node:child_process';
    import { lockDirectory } from ${JSON.stringify(module)};
    await lockDirectory(${JSON.stringify(directory)}, 'the other, pid ' + process.pid, ${JSON.stringify(flock)});
    const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
    console.log(child.pid);
    setInterval(() => undefined, 1000);
  `;
  const node = spawn(
    process.execPath,
    [...loaderWords, '--expose-gc', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => node.kill('SIGKILL'));
  const [line] = (await once(node.stdout, 'data')) as [Buffer];
  t.teardown(() => process.kill(Number(line.toString()), 'SIGKILL'));
  return node;
}

for (const [name, flock] of Object.entries(means)) {
  test(`by ${name}: a directory is locked once, and again when it is released`, async (t) => {
    const directory = await temporaryDirectory(t);
    const lock = await lockDirectory(directory, 'iod 3, pid 77', flock);
    t.is((await readFile(join(directory, 'lock'), 'utf8')).trim(), 'iod 3, pid 77');
    for (let i = 0; i < 2; i++) {
      const error = await t.throwsAsync(lockDirectory(directory, 'me too', flock), {
        instanceOf: FsError,
      });
      t.is(error.code, 'EBUSY');
      t.is(error.weftCode, 'WEFT_E_DATA_LOCKED');
      t.true(error.message.includes(directory));
      t.true(error.message.includes('iod 3, pid 77'));
    }
    await lock.release();
    t.is(await readFile(join(directory, 'lock'), 'utf8'), '');
    await (await lockDirectory(directory, 'next', flock)).release();
  });

  test(`by ${name}: of many that try at once, one has it`, async (t) => {
    const directory = await temporaryDirectory(t);
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, async (_, i) => lockDirectory(directory, `number ${i}`, flock)),
    );
    const winners = tries.filter((one) => one.status === 'fulfilled');
    t.is(winners.length, 1);
    await winners[0]?.value.release();
  });

  test(`by ${name}: the lock of a killed process is free, whatever it had started`, async (t) => {
    const directory = await temporaryDirectory(t);
    const other = await otherHolder(t, directory, flock);
    const error = await t.throwsAsync(lockDirectory(directory, 'me', flock), {
      instanceOf: FsError,
    });
    t.true(error.message.includes(`the other, pid ${other.pid}`));
    other.kill('SIGKILL');
    await once(other, 'exit');
    const lock = await lockDirectory(directory, 'me', flock);
    t.is((await readFile(join(directory, 'lock'), 'utf8')).trim(), 'me');
    await lock.release();
  });
}

test('two directories are locked apart', async (t) => {
  const first = await lockDirectory(await temporaryDirectory(t), 'one');
  const second = await lockDirectory(await temporaryDirectory(t), 'two');
  await first.release();
  await second.release();
  t.pass();
});

test('a directory that is not there cannot be locked', async (t) => {
  const path = join(await temporaryDirectory(t), 'none');
  const error = await t.throwsAsync(lockDirectory(path, 'me'), { instanceOf: FsError });
  t.is(error.code, 'ENOENT');
  t.true(error.message.includes(path));
});

test('a flock that fails for another reason is an error, not a free lock', async (t) => {
  const directory = await temporaryDirectory(t);
  const error = await t.throwsAsync(lockDirectory(directory, 'me', 'cat'), {
    instanceOf: FsError,
  });
  t.is(error.code, 'EIO');
  t.true(error.message.includes(directory));
});
