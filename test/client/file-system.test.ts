import test from 'ava';
import { connect } from '../../client/connect.ts';
import { FsError } from '../../shared/errno.ts';
import { failure } from '../shared/rpc/pair.ts';
import { Scripted } from './scripted.ts';

test('what fails tells the call and the path of the user, as node:fs does', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const error = await failure(cluster.run(() => fs.stat('no/such')));
  t.like(error, { code: 'ENOENT', errno: -2, syscall: 'stat', path: 'no/such' });
  t.is(error.message, "ENOENT: no such file or directory, stat 'no/such'");
  t.is(await cluster.run(() => fs.exists('no/such')), false);
});

test('a small file is written and read whole, and given back also when that fails', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  await cluster.run(() => fs.writeFile('a', 'grüße', { sync: true }));
  await cluster.run(() => fs.appendFile('a', ', all'));
  t.is((await cluster.run(() => fs.readFile('a'))).toString(), 'grüße, all');
  t.is((await cluster.run(() => fs.stat('a'))).size, 12);
  t.is(cluster.count('open'), cluster.count('close'));
  cluster.script = ({ op }) => {
    if (op === 'read' || op === 'write') throw new FsError('EIO', { what: 'disk' });
  };
  t.is((await failure(cluster.run(() => fs.readFile('a')))).syscall, 'read');
  t.is((await failure(cluster.run(() => fs.writeFile('a', 'x')))).syscall, 'write');
  t.is(cluster.count('open'), cluster.count('close'));
});

test('a read of a whole file that is aborted gives the file back nevertheless', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  await cluster.run(() => fs.writeFile('a', 'content'));
  const control = new AbortController();
  cluster.script = ({ op }) => {
    if (op === 'read') control.abort();
  };
  const reading = cluster.run(() => fs.readFile('a', { signal: control.signal }));
  t.is((await failure(reading)).code, 'ECANCELED');
  await cluster.pass(100);
  t.is(cluster.count('open'), cluster.count('close'));
});

test('what `using` declares is closed at the end of its block', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file[Symbol.asyncDispose]());
  await cluster.run(() => fs[Symbol.asyncDispose]());
  t.is(cluster.count('close'), 1);
  t.is(cluster.count('closeSession'), 1);
});

test('a cluster that cannot be reached is an error in time, with nothing left running', async (t) => {
  const cluster = new Scripted();
  await cluster.pass(10);
  cluster.mgr.kill();
  const { runtime } = cluster;
  const key = Buffer.alloc(32, 5);
  const error = await failure(
    cluster.run(() => connect('ws://m:7300', { runtime, key, deadlineMs: 3_000 })),
  );
  t.like(error, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_MGR_UNREACHABLE', syscall: 'connect' });
  await cluster.pass(10_000);
  const before = cluster.world.steps;
  await cluster.pass(1_000_000);
  t.is(cluster.world.steps, before);
});

test('a wrong key is told at once, and no URL with what to do', async (t) => {
  const cluster = new Scripted();
  await cluster.pass(10);
  const { runtime } = cluster;
  const begun = cluster.world.nowMs;
  const error = await failure(
    cluster.run(() => connect('ws://m:7300', { runtime, key: Buffer.alloc(32, 6) })),
  );
  t.like(error, { code: 'EKEYREJECTED', weftCode: 'WEFT_E_BAD_KEY' });
  t.true(cluster.world.nowMs - begun < 100);
  t.like(await failure(connect('', { runtime })), { code: 'EINVAL', weftCode: 'WEFT_E_BAD_URL' });
});

test('many opens at once share a session and have their own caps', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const files = await cluster.run(() =>
    Promise.all(Array.from({ length: 600 }, (_, i) => fs.open(`f${i}`, 'w'))),
  );
  t.is(new Set(files.map(({ handle }) => handle)).size, 600);
  t.is(cluster.count('openSession'), 1);
  await cluster.run(() => Promise.all(files.map((file) => file.close())));
  t.is(cluster.count('close'), 600);
});
