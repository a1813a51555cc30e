/** `weft sessions` and `weft opens`: who is there, and who has what open. */
import test from 'ava';
import { connect } from '../../client/index.ts';
import { clusterDirectory, Running, up, weft } from './cli-runner.ts';
import { until } from './cluster-fixture.ts';

/** As the mgr sees a client of its own host. */
const here = process.platform === 'linux' ? 'local' : '127.0.0.1';

interface Listed {
  readonly name: string;
  readonly session: number;
  readonly host: string | null;
  readonly leftMs: number | null;
  readonly opens: number;
}

interface Opens {
  readonly files: readonly {
    readonly path: string | null;
    readonly holders: number;
    readonly writers: number;
    readonly since: string | null;
  }[];
}

interface Holders {
  readonly holders: readonly (Listed & {
    readonly readers: number;
    readonly writers: number;
    readonly since: string | null;
  })[];
}

async function listed<T>(url: string, ...words: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await weft({ url }, ...words, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

test('sessions and open files are told, of who is here and of who is away', async (t) => {
  const { url } = await up(await clusterDirectory(t), '--iods', '2');
  const fs = await connect(url, { name: 'looker' });
  t.teardown(() => fs.close());
  const sessions = async () => {
    const all = await listed<{ own: number; sessions: readonly Listed[] }>(url, 'sessions');
    return all.sessions.filter(({ session }) => session !== all.own);
  };
  t.deepEqual(await listed(url, 'opens'), { schema: 1, files: [] });

  const begunAt = Date.now();
  const reader = await fs.open('/shared', 'w+');
  await fs.open('/shared', 'r');
  await fs.open('/gone', 'w');
  await fs.unlink('/gone');
  const [looker] = await sessions();
  t.like(looker, { name: 'looker', host: here, leftMs: null, opens: 2 });
  const { files } = await listed<Opens>(url, 'opens');
  t.is(files.length, 2);
  t.like(files[0], { path: '/shared', holders: 1, writers: 1 });
  t.like(files[1], { path: null, holders: 1, writers: 1 });
  for (const file of files) {
    const at = Date.parse(file.since ?? '');
    t.true(at >= begunAt - 1000 && at <= Date.now(), file.since ?? 'null');
  }
  const { holders } = await listed<Holders>(url, 'opens', '/shared');
  t.is(holders.length, 1);
  t.like(holders[0], { name: 'looker', readers: 2, writers: 1 });
  const since = Date.parse(holders[0]?.since ?? '');
  t.true(since >= begunAt - 1000 && since <= Date.now(), holders[0]?.since ?? 'null');
  const shown = (await weft({ url }, 'opens', '/shared')).stdout;
  t.regex(
    shown,
    /^\/shared: open in 1 session\nsession \d+ +looker +(local|127\.0\.0\.1) +2 readers, 1 writer +since \d{4}-.*Z\n$/,
  );
  t.regex(
    (await weft({ url }, 'opens')).stdout,
    /^holders +writers +since +file\n +1 +1 +\d{4}-.*Z +\/shared\n.*\(removed, handle \d+\)\n$/,
  );

  await reader.close();
  t.like((await listed<Holders>(url, 'opens', '/shared')).holders[0], { readers: 1, writers: 0 });

  const other = new Running('test/system/client-program.ts', [url, 'hold', '/held']);
  await other.says(/^begun$/);
  t.is((await sessions()).length, 2);
  other.signal('SIGKILL');
  let away: Listed | undefined;
  await until(async () => {
    away = (await sessions()).find(({ host }) => host === null);
    return away !== undefined;
  });
  t.is(away?.opens, 1);
  t.true((away?.leftMs ?? -1) > 0);
});

test('a path that is not there is told', async (t) => {
  const { url } = await up(await clusterDirectory(t), '--iods', '1');
  const missing = await weft({ url }, 'opens', '/nowhere');
  t.is(missing.code, 1);
  t.regex(missing.stderr, /ENOENT/);
});
