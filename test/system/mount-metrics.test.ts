/** What a mount, and a program with the library, tell Prometheus. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { connect, countCalls } from '../../client/index.ts';
import { promtool } from '../promtool.ts';
import { clusterDirectory, up } from './cli-runner.ts';
import { TestCluster, until } from './cluster-fixture.ts';
import { failure, Mounted, mountTest } from './mounted.ts';

/** A mount with metrics at a port that was free. */
async function watched(t: ExecutionContext) {
  const m = await Mounted.start(t, { iods: 2 }, ['--metrics', '0']);
  const page = m.metrics ?? '';
  t.regex(page, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const values = async (): Promise<(name: string) => number> => {
    const { stdout, code, stderr } = await m.cluster.weft('metrics', new URL(page).host);
    t.is(code, 0, stderr);
    const lines = stdout.split('\n').map((line) => line.split(/ (?=\S+$)/));
    const all = new Map(lines.map(([name = '', value]) => [name, Number(value)]));
    return (name) => all.get(name) ?? NaN;
  };
  return { m, page, values };
}

mountTest('a mount counts what its kernel asks for, and what it asks of daemons', async (t) => {
  const { m, page, values } = await watched(t);
  await mkdir(m.path('secret-name'));
  await writeFile(m.path('secret-name', 'f'), Buffer.alloc(100_000));
  await readFile(m.path('secret-name', 'f'));
  t.is(await failure(rmdir(m.path('secret-name'))), 'ENOTEMPTY');
  const file = await m.open(t, 'open', 'w');

  const value = await values();
  t.is(value('weftfs_mount_operation_duration_seconds_count{op="makeDirectory",outcome="ok"}'), 1);
  t.true(value('weftfs_mount_operation_duration_seconds_count{op="read",outcome="ok"}') >= 1);
  t.is(value('weftfs_mount_operation_errors_total{op="removeDirectory",errno="ENOTEMPTY"}'), 1);
  t.is(value('weftfs_client_call_errors_total{op="removeDirectory",errno="ENOTEMPTY"}'), 1);
  t.true(value('weftfs_client_call_duration_seconds_count{op="makeNode",outcome="ok"}') >= 1);
  t.is(value('weftfs_client_written_bytes_total'), 100_000);
  t.is(value('weftfs_client_read_bytes_total'), 100_000);
  t.is(value('weftfs_client_link_state{peer="mgr"}'), 1);
  t.is(value('weftfs_mount_open_files'), 1);
  t.is(value('weftfs_mount_operations_running'), 0);
  t.is(value('weftfs_mount_oldest_operation_seconds'), 0);
  t.true(value('weftfs_mount_kernel_told_total{what="attributes"}') > 0);
  t.true(value('nodejs_eventloop_lag_p99_seconds') >= 0);
  const text = await (await fetch(page)).text();
  t.false(text.includes('secret-name'));
  t.false(text.includes(m.directory));
  await file.close();

  t.is((await fetch(page.replace('metrics', 'health'))).status, 200);
  m.cluster.mgr.signal('SIGSTOP');
  t.teardown(() => m.cluster.mgr.signal('SIGCONT'));
  const waiting = readdir(m.path('elsewhere')).catch(() => undefined);
  await until(async () => (await values())('weftfs_mount_oldest_operation_seconds') > 0);
  t.is((await values())('weftfs_mount_operations_running'), 1);
  m.cluster.mgr.signal('SIGCONT');
  await waiting;
});

mountTest(
  'Prometheus takes what a mount says, and finds it where it was told',
  async (t) => {
    const { m, page } = await watched(t);
    await writeFile(m.path('f'), 'x');
    const { host } = new URL(page);
    const { stdout } = await m.cluster.weft('metrics', host);
    t.deepEqual(await promtool(['check', 'metrics'], stdout), { code: 0, words: '' });
    const config = await m.cluster.weft('metrics', '--print-scrape-config', '--mount', host);
    const file = join(m.cluster.directory, 'prometheus.yml');
    await writeFile(file, config.stdout);
    t.true(config.stdout.includes(JSON.stringify(host)));
    t.is((await promtool(['check', 'config', file])).code, 0);
  },
  ['promtool'],
);

mountTest(
  'a mount whose port is taken is none; who comes for more than figures is turned away',
  async (t) => {
    const { m, page } = await watched(t);
    const { port } = new URL(page);
    const other = join(m.cluster.directory, 'other');
    await mkdir(other);
    const { code, stderr } = await m.cluster.weft('mount', other, '--metrics', port);
    t.is(code, 1);
    t.regex(stderr, /EADDRINUSE/);
    await writeFile(join(other, 'local'), 'not in the cluster');
    t.is(await failure(readFile(m.path('local'))), 'ENOENT');

    const socket = connectSocket(Number(port), '127.0.0.1');
    const lines = [
      'GET /rpc HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
    ];
    const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
    socket.end([...lines, ...key, 'Sec-WebSocket-Protocol: weft.1', '', ''].join('\r\n'));
    socket.resume();
    await once(socket, 'close');
    t.is((await fetch(page)).status, 200, 'it goes on');
  },
);

test('a program counts the calls of its file system from when it wants to', async (t) => {
  const { url } = await up(await clusterDirectory(t), '--iods', '1');
  const fs = await connect(url);
  t.teardown(() => fs.close());
  await fs.writeFile('/before', 'x');
  const metrics = countCalls(fs);
  await fs.writeFile('/after', Buffer.alloc(20_000));
  await t.throwsAsync(fs.stat('/missing'), { code: 'ENOENT' });
  const { contentType, body } = await metrics();
  t.regex(contentType, /^text\/plain/);
  t.regex(body, /^weftfs_build_info\{role="client",/m);
  t.regex(body, /^weftfs_client_written_bytes_total 20000$/m);
  t.regex(body, /^weftfs_client_call_duration_seconds_count\{op="open",outcome="ok"\} 1$/m);
  t.regex(body, /^weftfs_client_call_errors_total\{op="lookup",errno="ENOENT"\} 1$/m);
  t.regex(body, /^weftfs_client_link_state\{peer="iod0"\} 1$/m);
});

test('without a wish for it nothing is counted', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  await fs.writeFile('/f', 'x');
  t.is(fs.session.meter, undefined);
});
