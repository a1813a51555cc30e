/** What people do wrong on the command line and with directories: each gets a message that helps. */
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../client/index.ts';
import { temporaryDirectory, TestCluster } from './cluster-fixture.ts';
import { runProgram } from './daemon.ts';
import { errorOf, said } from './messages.ts';

/** Something else that listens. */
async function stranger(t: ExecutionContext, answer = ''): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (answer !== '') socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

// ---------------------------------------------------------------- the command line

test('a URL that is wrong is told what is wrong with it, and what to write', async (t) => {
  const urls = [
    '',
    'localhost:7300',
    'http://localhost:7300',
    'wss://localhost:7300',
    'ws://',
    'ws://localhost:99999',
    'ws://user:word@localhost',
    'ws://localhost/path',
    'ws://localhost?secret=x',
    'ws://localhost?key=relative.key',
    'ws://local host',
  ];
  for (const url of urls) {
    t.snapshot(
      said(await runProgram('client/cli/main.js', ['ls', '/', '--url', url]), {}),
      `'${url}'`,
    );
  }
});

test('a URL that leads to nobody, to a stranger, or to an iod says so', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const names = { DIRECTORY: cluster.directory };
  const say = async (url: string, ...more: string[]) =>
    said(await runProgram('client/cli/main.js', ['ls', '/', '--url', url, ...more]), names);
  const ssh = await stranger(t, 'SSH-2.0-OpenSSH_9.6\r\n');
  const web = await stranger(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  t.snapshot(await say(`ws://127.0.0.1:${ssh}`, '--timeout', '1'), 'an SSH server');
  t.snapshot(await say(`ws://127.0.0.1:${web}`, '--timeout', '1'), 'a web server');
  const key = `?key=${cluster.keyFile}`;
  t.snapshot(await say(`ws://127.0.0.1:${cluster.iod(0).spec.port}${key}`), 'an iod');
  await cluster.mgr.stop();
  const nobody = await say(cluster.url, '--timeout', '1');
  t.snapshot(nobody, 'nobody');
});

test('a wrong key, no key, and a key file that is none are told apart', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const { url, directory } = cluster;
  const names = { DIRECTORY: directory };
  const bare = url.replace(/\?.*/, '');
  const other = join(directory, 'other.key');
  const broken = join(directory, 'broken.key');
  await writeFile(other, `${'5e'.repeat(32)}\n`, { mode: 0o600 });
  await writeFile(broken, 'not a key\n', { mode: 0o600 });
  const say = async (...args: string[]) =>
    said(await runProgram('client/cli/main.js', ['ls', '/', ...args]), names);
  t.snapshot(await say('--url', bare, '--key', other), 'another key');
  t.snapshot(await say('--url', bare), 'no key');
  t.snapshot(await say('--url', bare, '--key', broken), 'a file that is no key');
  t.snapshot(await say('--url', bare, '--key', join(directory, 'none')), 'no such file');
  const iod = cluster.iod(0);
  await iod.stop();
  const args = iod.spec.args.map((word) => word.replaceAll(cluster.keyFile, other));
  const refused = await runProgram('iod/main.js', ['--data', iod.spec.dataDir, ...args]);
  t.snapshot(said(refused, names), 'an iod with another key');
  t.is((await cluster.weft('ls', '/')).code, 0, 'the mgr goes on');
});

test('unknown options and values that are none end with status 2 and the word that is wrong', async (t) => {
  const lines: Readonly<Record<string, readonly string[]>> = {
    weft: ['ls', '/', '--colour'],
    'weft with no such command': ['lss'],
    'weft with too little': ['cp', 'weft:/a'],
    'weft with a number that is none': ['up', '--iods', 'many'],
    'weft with a number too big': ['truncate', '-s', '99999999999999999999', '/a'],
  };
  for (const [title, args] of Object.entries(lines)) {
    const outcome = await runProgram('client/cli/main.js', args, { WEFT_URL: 'ws://127.0.0.1:1' });
    t.snapshot(said(outcome, {}), title);
    t.is(outcome.code, 2, title);
  }
  const daemons: readonly (readonly ['mgr' | 'iod', readonly string[]])[] = [
    ['mgr', ['--data', '/nowhere', '--prot', '7300']],
    ['mgr', []],
    ['mgr', ['--data', '/nowhere', '--port', '70000']],
    ['mgr', ['--data', '/nowhere', '--session-lease', '10']],
    ['iod', ['--data', '/nowhere']],
    ['iod', ['--data', '/nowhere', '--mgr', 'ws://127.0.0.1:1']],
    ['iod', ['--data', '/nowhere', '--mgr', 'ws://127.0.0.1:1', '--name', 'a', '--speed', '9']],
  ];
  for (const [role, args] of daemons) {
    const outcome = await runProgram(`${role}/main.js`, args);
    t.snapshot(said(outcome, {}), [role, ...args].join(' '));
    t.is(outcome.code, 2);
  }
});

// ---------------------------------------------------------------- starting daemons

test('a port that is taken is named, and nothing is left running (SCENARIOS 258)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const taken = await stranger(t);
  const names = { DIRECTORY: cluster.directory, 'port TAKEN': `port ${taken}` };
  for (const { role, name, args, dataDir } of cluster.daemons.map(({ spec }) => spec)) {
    const daemon = cluster.daemons.find(({ spec }) => spec.name === name);
    await daemon?.stop();
    const port = ['--host', '127.0.0.1', '--port', String(taken)];
    const outcome = await runProgram(`${role}/main.js`, ['--data', dataDir, ...args, ...port]);
    t.snapshot(said(outcome, names), name);
    await daemon?.start();
  }
  const line = `up --detach --iods 1 --port ${taken} --data ${join(cluster.directory, 'up')}`;
  const up = await runProgram('client/cli/main.js', line.split(' '));
  t.is(up.code, 1);
  t.regex(up.stderr, /WEFT_E_PORT_TAKEN/);
  t.is((await cluster.weft('status')).code, 0);
});

test('a data directory of another role, another cluster, or a newer format is refused and left alone (SCENARIOS 256, 257)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const other = await TestCluster.start(t, { iods: 1 });
  const { directory } = cluster;
  const names = { DIRECTORY: directory, OTHER: other.directory };
  const run = async (role: 'mgr' | 'iod', data: string, args: readonly string[]) =>
    said(await runProgram(`${role}/main.js`, ['--data', data, ...args]), names);
  const iod = cluster.iod(0);
  await Promise.all(cluster.daemons.map((daemon) => daemon.stop()));
  const identity = () => readFile(join(iod.spec.dataDir, 'weft.json'), 'utf8');
  const before = await identity();

  t.snapshot(await run('mgr', iod.spec.dataDir, cluster.mgr.spec.args), 'a mgr on that of an iod');
  t.snapshot(await run('iod', cluster.mgr.spec.dataDir, iod.spec.args), 'an iod on that of a mgr');

  await other.iod(0).stop();
  const foreign = await run('iod', iod.spec.dataDir, other.iod(0).spec.args);
  t.snapshot(foreign, 'an iod of another cluster');
  t.is(await identity().then(withoutStart), withoutStart(before));

  const newer = join(directory, 'newer');
  await cp(iod.spec.dataDir, newer, { recursive: true });
  const newerIdentity = { ...(JSON.parse(before) as object), format: 99 };
  await writeFile(join(newer, 'weft.json'), JSON.stringify(newerIdentity));
  t.snapshot(await run('iod', newer, iod.spec.args), 'a newer format');
  t.deepEqual(JSON.parse(await readFile(join(newer, 'weft.json'), 'utf8')), newerIdentity);

  const damaged = join(directory, 'damaged');
  await mkdir(damaged);
  await copyFile(join(cluster.mgr.spec.dataDir, 'meta.db'), join(damaged, 'meta.db'));
  t.snapshot(await run('mgr', damaged, cluster.mgr.spec.args), 'names without an identity');
  await writeFile(join(newer, 'weft.json'), '{"format":');
  t.snapshot(await run('iod', newer, iod.spec.args), 'half an identity');

  await Promise.all(cluster.daemons.map((daemon) => daemon.start()));
  t.is((await cluster.weft('ls', '/')).code, 0, 'all of it still works');
});

/** A start that is refused after the lock has counted all the same. */
function withoutStart(identity: string): string {
  const fields = Object.entries(JSON.parse(identity) as object);
  return JSON.stringify(
    fields.filter(([name]) => !['incarnation', 'lives', 'clean'].includes(name)),
  );
}

test('an iodtab that is broken is told by file, line and column (SCENARIOS 51, 251)', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'iodtab');
  const tables: Readonly<Record<string, string>> = {
    empty: '# no line\n',
    'a word too many': '127.0.0.1:7301 a fast\n',
    'a port out of range': '# the iods\n127.0.0.1:70001 a\n',
    'a port that is none': '127.0.0.1:port\n',
    'a name twice': '127.0.0.1:7301 a\n127.0.0.1:7302 a\n',
    'an address twice': '127.0.0.1:7301 a\n127.0.0.1:7301 b\n',
    'two mgrs': 'mgr 127.0.0.1:7300\nmgr 127.0.0.1:7310\n127.0.0.1:7301\n',
    'a range backwards': '127.0.0.1:7304-7301\n',
    'a name that does not resolve': 'no-such-host.invalid:7301 a\n',
    'a control character': '127.0.0.1:7301 a\u0007\n',
  };
  const data = join(directory, 'data');
  for (const [title, text] of Object.entries(tables)) {
    await writeFile(file, text);
    const outcome = await runProgram('mgr/main.js', ['--data', data, '--iodtab', file]);
    t.snapshot(said(outcome, { DIRECTORY: directory }), title);
    t.is(outcome.code, 1);
    await rm(data, { recursive: true, force: true });
  }
});

// ---------------------------------------------------------------- the library

test('connecting without a URL, or with one that is none, says what to give', async (t) => {
  t.snapshot(await errorOf(t, connect('')), 'none');
  t.snapshot(await errorOf(t, connect('https://example.org')), 'https');
});
