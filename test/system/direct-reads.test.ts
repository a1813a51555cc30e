/**
 * Programs of the host of an iod, which read its objects themselves (decision 17), among real
 * processes. An iod that is stopped answers nobody: what is read then was read without it.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ConnectedFileSystem, File, FsError } from '../../client/index.ts';
import { limits } from '../../shared/limits.ts';
import { TestCluster, until } from './cluster-fixture.ts';
import { projectPath } from '../../scripts/project.ts';

const bytes = 100_000;
const onFirst = { layout: { base: 0, pcount: 1 } };

interface Scene {
  readonly cluster: TestCluster;
  readonly fs: ConnectedFileSystem;
  readonly file: File;
}

async function scene(t: ExecutionContext, sessionLeaseMs?: number): Promise<Scene> {
  const cluster = await TestCluster.start(t, {
    iods: 2,
    ...(sessionLeaseMs && { sessionLeaseMs }),
  });
  const fs = await cluster.connect();
  await fs.writeFile('/f', Buffer.alloc(bytes, 1), onFirst);
  const file = await fs.open('/f', 'r+');
  return { cluster, fs, file };
}

async function read(file: File, deadlineMs?: number): Promise<Buffer> {
  const into = Buffer.alloc(bytes);
  const count = await file.read(into, 0, deadlineMs === undefined ? {} : { deadlineMs });
  return into.subarray(0, count);
}

/** Whether it is read without the iod, which is stopped for a moment. */
async function isDirect({ cluster }: Scene, file: File): Promise<boolean> {
  await read(file);
  cluster.iod(0).signal('SIGSTOP');
  try {
    return (await read(file, 300)).length === bytes;
  } catch {
    return false;
  } finally {
    cluster.iod(0).signal('SIGCONT');
  }
}

test('a program of the host reads on while the iod is stopped, sees each write, and reads directly again after a kill', async (t) => {
  const it = await scene(t);
  const { cluster, file } = it;
  await until(() => isDirect(it, file));
  for (let value = 2; value < 50; value++) {
    await file.write(Buffer.alloc(bytes, value), 0);
    t.deepEqual(await read(file), Buffer.alloc(bytes, value));
  }
  await cluster.iod(0).kill();
  const writing = file.write(Buffer.alloc(bytes, 99), 0);
  await cluster.iod(0).start();
  await writing;
  t.deepEqual(await read(file), Buffer.alloc(bytes, 99));
  await until(() => isDirect(it, file));
});

test('an iod that stays stopped is read no longer than it has given', async (t) => {
  const it = await scene(t);
  await until(() => isDirect(it, it.file));
  it.cluster.iod(0).signal('SIGSTOP');
  t.teardown(() => it.cluster.iod(0).signal('SIGCONT'));
  const begun = performance.now();
  await until(async () => {
    try {
      return (await read(it.file, 200)).length !== bytes;
    } catch (error) {
      t.is((error as FsError).code, 'ETIMEDOUT');
      return true;
    }
  });
  t.true(performance.now() - begun < limits.sharedReadMs + limits.heartbeatSilenceMs);
});

test('an iod that is told to lets nobody read its files', async (t) => {
  const it = await scene(t);
  const { cluster, file } = it;
  await until(() => isDirect(it, file));
  await cluster.iod(0).stop();
  await cluster.iod(0).start({ more: ['--direct-reads', 'off'] });
  for (let tries = 0; tries < 5; tries++) t.false(await isDirect(it, file));
});

test('what an iod has given is of no use to another user', async (t) => {
  const it = await scene(t);
  await until(() => isDirect(it, it.file));
  const { dataDir } = it.cluster.iod(0).spec;
  const module = projectPath('dist/shared/runtime/node/shared-files.js');
  const path = join(dataDir, 'reads.mark');
  const program = `
    import { statSync } from 'node:fs';
    import { makeSharedFiles } from '${module}';
    const { dev, ino } = JSON.parse(process.argv[1]);
    console.log((await makeSharedFiles().open('${path}', dev + ':' + ino)) !== undefined);
  `;
  const { statSync } = await import('node:fs');
  const { dev, ino } = statSync(path);
  const open = (who: object): string =>
    execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', program, JSON.stringify({ dev, ino })],
      { ...who, cwd: projectPath('dist'), encoding: 'utf8' },
    );
  t.is(open({}), 'true\n');
  if (process.getuid?.() === 0) t.is(open({ uid: 65_534, gid: 65_534 }), 'false\n');
});
