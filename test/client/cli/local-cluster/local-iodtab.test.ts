import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { settleTable, type TableWish } from '../../../../client/cli/local-cluster/local-iodtab.ts';
import { makeNodeRuntime } from '../../../../shared/runtime/node.ts';

const { disk } = makeNodeRuntime({ log: 'silent' });

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-table-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

async function ports(wish: Partial<TableWish> & { dataDir: string }): Promise<number[]> {
  const table = await settleTable(disk, {
    iodtab: undefined,
    iods: undefined,
    port: undefined,
    ...wish,
  });
  return [table.mgr.port, ...table.iods.map(({ port }) => port)];
}

test('a new cluster has four iods behind the default port', async (t) => {
  const dataDir = await directory(t);
  t.deepEqual(await ports({ dataDir }), [7300, 7301, 7302, 7303, 7304]);
  t.regex(await readFile(join(dataDir, 'iodtab'), 'utf8'), /mgr 127\.0\.0\.1:7300\n127/);
});

test('iods follow the port of the mgr, and the next start keeps them', async (t) => {
  const dataDir = await directory(t);
  t.deepEqual(await ports({ dataDir, port: 8000, iods: 2 }), [8000, 8001, 8002]);
  t.deepEqual(await ports({ dataDir }), [8000, 8001, 8002]);
  t.deepEqual(await ports({ dataDir, iods: 3 }), [8000, 8001, 8002, 8003]);
});

test('ports that the system chose all differ, and are kept', async (t) => {
  const dataDir = await directory(t);
  const chosen = await ports({ dataDir, port: 0, iods: 8 });
  t.is(new Set(chosen).size, 9);
  t.deepEqual(await ports({ dataDir, port: 0 }), chosen);
  t.deepEqual(await ports({ dataDir }), chosen);
});

test('iods cannot become fewer: files are on all of them', async (t) => {
  const dataDir = await directory(t);
  await ports({ dataDir, iods: 3 });
  await t.throwsAsync(ports({ dataDir, iods: 2 }), { message: /3 iods/ });
});

test('a table of the user is used where it is, and only for this host', async (t) => {
  const dataDir = await directory(t);
  const iodtab = join(dataDir, 'mine');
  await writeFile(iodtab, 'mgr localhost:7400\n127.0.0.1:7401\n');
  t.deepEqual(await ports({ dataDir, iodtab }), [7400, 7401]);
  await t.throwsAsync(ports({ dataDir, iodtab, iods: 2 }), { message: /how many iods/ });
  await writeFile(iodtab, '127.0.0.1:7401\nn2.example:7401\n');
  await t.throwsAsync(ports({ dataDir, iodtab }), { message: /n2\.example/ });
  await t.throwsAsync(ports({ dataDir, iodtab: join(dataDir, 'none') }), { message: /no iodtab/ });
});
