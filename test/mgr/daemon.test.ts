import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { noSecret } from '../../shared/auth.ts';
import { FsError } from '../../shared/errno.ts';
import { parseIodtab } from '../../shared/iodtab.ts';
import { endpointNamed } from '../../shared/runtime/abstract-name.ts';
import { systemPath } from '../../shared/runtime/node/unix-socket.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import { makeMgrDaemon } from '../../mgr/daemon.ts';
import { memoryDatabase } from '../../mgr/store/sqlite-store.ts';

const runtime = makeNodeRuntime({ log: 'silent' });

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-mgr-'));
  t.teardown(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

function daemon(
  t: ExecutionContext,
  dataDirectory: string,
  holder = 'the first mgr',
  on = runtime,
  port = 0,
) {
  const made = makeMgrDaemon({
    runtime: on,
    dataDirectory,
    holder,
    config: {
      host: '127.0.0.1',
      port,
      secret: noSecret,
      iodtab: parseIodtab('127.0.0.1:7301-7304\n', 'iodtab'),
      policy: { rootSquash: false, users: new Map() },
      rootOwner: { uid: 0, gid: 0 },
      process: { residentBytes: () => 1 },
    },
    onFatal: (error) => t.fail(error.message),
  });
  t.teardown(() => made.stop());
  return made;
}

interface Held {
  close(): Promise<void>;
}

/** Somebody else who listens there. */
async function listening(t: ExecutionContext, at: string | ListenOptions): Promise<Held> {
  const server = createServer();
  server.listen(at);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (server.listening) await once(server.close(), 'close');
  };
  t.teardown(close);
  return { close };
}

async function refused(t: ExecutionContext, start: Promise<unknown>): Promise<FsError> {
  return t.throwsAsync<FsError>(start, { instanceOf: FsError });
}

test('a second mgr on the same directory is refused, and told who holds it', async (t) => {
  const path = directory(t);
  await daemon(t, path).start();
  const second = daemon(t, path, 'the second');
  const error = await refused(t, second.start());
  t.is(error.weftCode, 'WEFT_E_DATA_LOCKED');
  t.regex(error.message, /the first mgr/);
});

test('it comes back at its port, and another may have the directory after it', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  const { port } = await first.start();
  await first.stop();
  const second = daemon(t, path);
  t.is((await second.start()).port, port);
  await second.stop();
  await second.stop();
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('it shares its port with a name of unix sockets, and has both or neither', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  const { port } = await first.start();
  const name = systemPath(endpointNamed(`weftfs/mgr/127.0.0.1:${port}`));
  await t.throwsAsync(listening(t, name), { code: 'EADDRINUSE' });
  await first.stop();

  const thief = await listening(t, name);
  const second = daemon(t, path);
  const other = await second.start();
  t.not(other.port, port, 'without a port of its choice it takes another');
  await (await listening(t, { host: '127.0.0.1', port })).close();
  await second.stop();

  const third = daemon(t, directory(t), 'the third', runtime, port);
  const error = await refused(t, third.start());
  t.is(error.weftCode, 'WEFT_E_PORT_TAKEN');
  t.regex(error.message, new RegExp(`unix:@weftfs/mgr/127\\.0\\.0\\.1:${port}`));
  await thief.close();

  const holder = await listening(t, { host: '127.0.0.1', port });
  t.is((await refused(t, daemon(t, directory(t), 'us', runtime, port).start())).code, 'EADDRINUSE');
  await (await listening(t, name)).close();
  await holder.close();
  t.is((await daemon(t, directory(t), 'us', runtime, port).start()).port, port);
});

test('it answers plain HTTP about itself', async (t) => {
  const { host, port } = await daemon(t, directory(t)).start();
  const health = await fetch(`http://${host}:${port}/health`);
  t.is(health.status, 200);
  t.like(await health.json(), { state: 'ACTIVE', iods: { serving: 0, total: 4 } });
  const front = await fetch(`http://${host}:${port}/`);
  t.regex(await front.text(), /weftfs mgr of cluster [0-9a-f]{32}: ACTIVE, 0 of 4 iods serve/);
  t.is((await fetch(`http://${host}:${port}/nothing`)).status, 404);
  t.is((await fetch(`http://${host}:${port}/`, { method: 'POST' })).status, 405);
});

test('a name store of a newer version is refused untouched', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  await first.start();
  await first.stop();
  const database = memoryDatabase();
  database.pragma('user_version = 99');
  writeFileSync(join(path, 'meta.db'), database.serialize());
  const error = await refused(t, daemon(t, path).start());
  t.is(error.weftCode, 'WEFT_E_DATA_NEWER');
});

test('a directory whose name store is gone is not made anew', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  await first.start();
  await first.stop();
  for (const name of ['meta.db', 'meta.db-wal', 'meta.db-shm']) {
    rmSync(join(path, name), { force: true });
  }
  const error = await refused(t, daemon(t, path).start());
  t.is(error.weftCode, 'WEFT_E_DATA_DAMAGED');
  t.regex(error.message, /meta\.db is gone/);
});

test('a name store of another cluster is refused', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  await first.start();
  await first.stop();
  const identity = { format: 1, role: 'mgr', cluster: 'another', port: 0 };
  writeFileSync(join(path, 'weft.json'), JSON.stringify(identity));
  const error = await refused(t, daemon(t, path).start());
  t.is(error.weftCode, 'WEFT_E_OTHER_CLUSTER');
});

test('a start that failed holds nothing', async (t) => {
  const path = directory(t);
  const first = daemon(t, path);
  await first.start();
  const { port } = await daemon(t, directory(t)).start();
  await first.stop();
  const identity = `{"format":1,"role":"iod"}`;
  const other = directory(t);
  writeFileSync(join(other, 'weft.json'), identity);
  const error = await refused(t, daemon(t, other).start());
  t.is(error.weftCode, 'WEFT_E_DATA_ROLE');
  rmSync(join(other, 'weft.json'));
  t.not((await daemon(t, other).start()).port, port);
});

test('on a disk that takes no more files it starts and stops all the same, and tells a stop from a death', async (t) => {
  const path = directory(t);
  let isFull = false;
  const disk: typeof runtime.disk = {
    ...runtime.disk,
    open: (name, mode) =>
      isFull && mode === 'create'
        ? Promise.reject(new FsError('ENOSPC', { what: 'no space' }))
        : runtime.disk.open(name, mode),
  };
  const first = daemon(t, path, 'us', { ...runtime, disk });
  await first.start();
  await first.stop();
  const causeOf = (number: number): unknown => {
    const text = readFileSync(join(path, 'recoveries', `${number}.json`), 'utf8');
    return (JSON.parse(text) as { cause: unknown }).cause;
  };
  t.is(causeOf(1), 'first-start');
  isFull = true;
  const second = daemon(t, path, 'us', { ...runtime, disk });
  await t.notThrowsAsync(second.start());
  await t.notThrowsAsync(second.stop());
  isFull = false;
  const third = daemon(t, path, 'us', { ...runtime, disk });
  await third.start();
  await third.stop();
  t.is(causeOf(2), 'clean-restart');
});
