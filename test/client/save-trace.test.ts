import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { saveTrace } from '../../client/save-trace.ts';
import { recordKinds } from '../../shared/trace/record.ts';
import { ringFiles, traceDirectory } from '../../shared/trace/ring-files.ts';
import { Ring } from '../../shared/trace/ring.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import { startLocalCluster } from './node-fs/local-cluster.ts';

test('a trace has the requests, but no content, no names and no keys (SCENARIOS 268)', async (t) => {
  const cluster = await startLocalCluster();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= cluster.stop());
  t.teardown(stop);
  const words = ['the-content-of-it', 'name-of-a-file', 'name-of-an-attribute'];
  const [content = '', name = '', attribute = ''] = words;
  await cluster.fs.promises.writeFile(`/${name}`, content.repeat(100));
  await cluster.fs.setxattr(`/${name}`, `user.${attribute}`, Buffer.from(content));
  t.is(String(await cluster.fs.promises.readFile(`/${name}`)), content.repeat(100));
  const saved = join(cluster.directory, 'saved.ring');
  await saveTrace(cluster.fs, saved);
  const { session } = cluster.fs;
  const keys = [Buffer.alloc(32, 9), Buffer.from(session.session.key)];
  const files = ['iod0', 'iod1'].flatMap((iod) => {
    const directory = join(cluster.directory, iod, traceDirectory);
    return ringFiles(fs.readdirSync(directory)).map((file) => join(directory, file));
  });
  t.is(files.length, 2);
  const images = [saved, ...files].map((file) => fs.readFileSync(file));
  for (const image of images) {
    for (const word of words) t.is(image.indexOf(word), -1, word);
    for (const key of keys) t.is(image.indexOf(key), -1);
  }
  const records = [...new Ring(images[0] ?? Buffer.alloc(0)).records()];
  const writes = records.filter(({ op }) => op === iodOps.write.code);
  t.deepEqual(
    [...new Set(writes.map(({ kind }) => kind))].toSorted((a, b) => a - b),
    [
      recordKinds.requestSent,
      recordKinds.requestReceived,
      recordKinds.replySent,
      recordKinds.replyReceived,
    ],
  );
  t.true(writes.some(({ bytes, handle }) => bytes === content.length * 100 && handle > 0));
  await stop();
});
