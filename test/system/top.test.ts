/** `weft top` beside a client that works, and an iod that is dead. */
import test from 'ava';
import { connect } from '../../client/index.ts';
import { clusterDirectory, Running, up, weft } from './cli-runner.ts';

interface Told {
  readonly daemons: readonly {
    readonly name: string;
    readonly load: {
      readonly state: string;
      readonly requestsPerSecond: number;
      readonly writtenBytesPerSecond: number;
    } | null;
    readonly failure: string | null;
  }[];
  readonly clients: readonly { readonly name: string; readonly writtenBytesPerSecond: number }[];
  readonly files: readonly { readonly path: string; readonly writtenBytesPerSecond: number }[];
}

test('what is done is seen at the daemon that does it', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '2');
  const fs = await connect(url, { name: 'worker' });
  t.teardown(() => fs.close());
  const file = await fs.open('/busy', 'w', { layout: { base: 1, pcount: 1 } });
  const done = new AbortController();
  const working = (async () => {
    while (!done.signal.aborted) await file.write(Buffer.alloc(64 * 1024), 0);
  })();
  const { stdout } = await weft({ url }, 'top', '--interval', '1', '--count', '1', '--json');
  done.abort();
  await working;
  const { daemons, clients, files } = JSON.parse(stdout) as Told;
  t.deepEqual(
    daemons.map(({ name, load }) => `${name} ${load?.state}`),
    ['mgr ACTIVE', 'iod0 SERVING', 'iod1 SERVING'],
  );
  const [, idle, busy] = daemons.map(({ load }) => load?.writtenBytesPerSecond ?? -1);
  t.is(idle, 0);
  t.true((busy ?? 0) > 64 * 1024);
  t.is(clients[0]?.name, 'worker');
  t.true((clients[0]?.writtenBytesPerSecond ?? 0) > 64 * 1024);
  t.is(files.length, 1);
  t.is(files[0]?.path, '/busy');
  t.true((files[0]?.writtenBytesPerSecond ?? 0) > 64 * 1024);

  await weft({}, 'chaos', 'kill', 'iod0', '--data', dataDir);
  const later = await weft({ url }, 'top', '--interval', '1', '--count', '1');
  t.regex(later.stdout, /^daemon +state +calls\/s/m);
  t.regex(later.stdout, /^iod1 +serving/m);
  t.regex(later.stdout, /^iod0: ECONNREFUSED/m);
});

test('it goes on until somebody stops it', async (t) => {
  const { url } = await up(await clusterDirectory(t), '--iods', '1');
  const top = new Running('client/cli/main.js', ['top', '--interval', '1'], { WEFT_URL: url });
  t.teardown(() => top.signal('SIGKILL'));
  await top.says(/^iod0 +serving/);
  await top.says(/^iod0 +serving/);
  top.signal('SIGINT');
  t.is((await top.exited).stderr, '');
});
