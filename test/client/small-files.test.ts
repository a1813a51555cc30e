import test from 'ava';
import * as fc from 'fast-check';
import { startLocalCluster } from './node-fs/local-cluster.ts';

const smallFileBytes = 100;
/** A little more than fits. */
const near = fc.integer({ min: 0, max: Math.floor(smallFileBytes * 1.2) });

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write' as const), at: near, length: near }),
    fc.record({ kind: fc.constant('append' as const), length: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ kind: fc.constant('truncate' as const), size: near }),
    fc.record({ kind: fc.constant('read' as const), at: near, length: near }),
    fc.record({ kind: fc.constant('stat' as const) }),
    fc.record({
      kind: fc.constant('writeFile' as const),
      flag: fc.constantFrom('w', 'r+', 'a'),
      length: near,
    }),
    fc.record({ kind: fc.constant('readFile' as const) }),
    fc.record({ kind: fc.constant('sync' as const), everything: fc.boolean() }),
    fc.record({ kind: fc.constant('reopen' as const), mode: fc.constantFrom('r+', 'w+', 'a+') }),
  ),
  { minLength: 1, maxLength: 25 },
);

test('two clients see in a file that crosses the bound what a buffer would have', async (t) => {
  const cluster = await startLocalCluster(2, smallFileBytes);
  t.teardown(() => cluster.stop());
  const clients = [cluster.fs, await cluster.connect()] as const;
  const fsOf = (who: number) => clients[who === 0 ? 0 : 1];
  let names = 0;
  let value = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), steps), { maxLength: 4 }), async (turns) => {
      const path = `/file${names++}`;
      let expected = Buffer.alloc(0);
      const put = (at: number, bytes: Buffer): void => {
        const grown = Buffer.alloc(Math.max(expected.length, at + bytes.length));
        expected.copy(grown);
        bytes.copy(grown, at);
        if (bytes.length > 0) expected = grown;
      };
      const files = await Promise.all(clients.map((fs) => fs.open(path, 'a+')));
      for (const file of files) await file.close();
      const open = await Promise.all(clients.map((fs) => fs.open(path, 'r+')));
      for (const [who, list] of turns) {
        for (const step of list) {
          const file = open[who];
          if (file === undefined) throw new Error('no file');
          switch (step.kind) {
            case 'write': {
              const bytes = Buffer.alloc(step.length, ++value);
              await file.write(bytes, step.at);
              put(file.append ? expected.length : step.at, bytes);
              break;
            }
            case 'append': {
              const bytes = Buffer.alloc(step.length, ++value);
              const { position } = await file.write(bytes, 'end');
              t.is(position, expected.length);
              put(position, bytes);
              break;
            }
            case 'truncate': {
              await file.truncate(step.size);
              const cut = Buffer.alloc(step.size);
              expected.copy(cut);
              expected = cut;
              break;
            }
            case 'read': {
              const halves = [Buffer.alloc(step.length >> 1), Buffer.alloc((step.length + 1) >> 1)];
              const count = await file.read(halves, step.at);
              const wanted = expected.subarray(step.at, step.at + step.length);
              t.is(
                Buffer.concat(halves).subarray(0, count).toString('hex'),
                wanted.toString('hex'),
              );
              break;
            }
            case 'stat':
              t.is((await file.stat()).size, expected.length);
              break;
            case 'writeFile': {
              const bytes = Buffer.alloc(step.length, ++value);
              await fsOf(who).writeFile(path, bytes, { flag: step.flag as 'w' });
              if (step.flag === 'w') expected = Buffer.alloc(0);
              put(step.flag === 'a' ? expected.length : 0, bytes);
              break;
            }
            case 'readFile':
              t.is((await fsOf(who).readFile(path)).toString('hex'), expected.toString('hex'));
              break;
            case 'sync':
              await file.sync({ everything: step.everything });
              break;
            case 'reopen': {
              await file.close();
              open[who] = await fsOf(who).open(path, step.mode as 'r+');
              if (step.mode === 'w+') expected = Buffer.alloc(0);
            }
          }
        }
      }
      for (const file of open) await file.close();
      t.is((await clients[0]?.readFile(path))?.toString('hex'), expected.toString('hex'));
      await clients[0]?.unlink(path);
    }),
    { numRuns: 60 },
  );
});

test('both kinds of files are as good as each other: by streams, and whole', async (t) => {
  const cluster = await startLocalCluster(2, smallFileBytes);
  t.teardown(() => cluster.stop());
  const fs = cluster.fs;
  for (const length of [0, 1, smallFileBytes, smallFileBytes + 1, 70_000, 300_000]) {
    const content = Buffer.alloc(length, length % 251);
    await fs.writeFile('/whole', content, { sync: true });
    t.deepEqual(await fs.readFile('/whole'), content);
    const { size, place } = await fs.stat('/whole');
    t.deepEqual([size, place], [length, length <= smallFileBytes ? 'mgr' : 'iods']);
    await cluster.fs.promises.writeFile('/by-node', content);
    t.deepEqual(await cluster.fs.promises.readFile('/by-node'), content);
    await fs.unlink('/whole');
  }
});

test('a write of what is no place in a file moves nothing', async (t) => {
  const cluster = await startLocalCluster(1, smallFileBytes);
  t.teardown(() => cluster.stop());
  const fs = cluster.fs;
  const file = await fs.open('/f', 'w+');
  await file.write(Buffer.from('abc'));
  await t.throwsAsync(file.write(Buffer.alloc(10), Number.MAX_SAFE_INTEGER), { code: 'EFBIG' });
  t.is((await file.stat()).place, 'mgr');
  await file.close();
});
