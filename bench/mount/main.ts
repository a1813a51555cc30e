/**
 * `npm run bench:mount`: a cluster of a mgr and four iods mounted on this host (Linux, root),
 * measured beside the local disk, that disk behind a FUSE server in C (`bindfs`), and the library,
 * all in one run.
 *
 *     npm run bench:mount -- [--quick] [--json] [--keep-pages]
 *         [--only=streaming,again,files,trees]
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchCluster } from '../cluster.ts';
import { bareProcess } from '../machine.ts';
import { residentMebibytes, Worker } from '../processes.ts';
import { asJson, asTable, type Row } from '../rows.ts';
import { measureAgain } from './again.ts';
import { measureFiles } from './files.ts';
import { fullSizes, type MountBench, quickSizes } from './mount-bench.ts';
import { measureStreaming } from './streaming.ts';
import { measureTrees } from './trees.ts';
import { besideReferences, type Reference } from './references.ts';
import type { UserTask } from './user-tasks.ts';

const iods = 4;
const users = 4;
const parts: Readonly<Record<string, (bench: MountBench) => Promise<Row[]>>> = {
  streaming: measureStreaming,
  again: measureAgain,
  files: measureFiles,
  trees: measureTrees,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'keep-pages': { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const wanted = values.only?.split(',') ?? Object.keys(parts);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);

const bare = await bareProcess();
const crew = Array.from({ length: users }, () => new Worker<UserTask>('mount/user-process.ts'));
const client = new Worker('client-process.ts');
const rows: Row[] = [];
try {
  const cluster = await BenchCluster.start(iods);
  try {
    await client.perform({ kind: 'connect', url: cluster.url, tcp: false });
    const measured = besideReferences(cluster.directory, (local, others) =>
      measureMount(cluster, local, others),
    );
    rows.push(...(await measured));
  } finally {
    await cluster.stop();
  }
} finally {
  await Promise.all([client, ...crew].map((worker) => worker.end()));
}
const machine = {
  processors: availableParallelism(),
  node: process.version,
  kernel: release(),
  load: loadavg()[0],
};
if (values.json) console.log(asJson(rows, machine));
else {
  const { processors, node, kernel, load } = machine;
  console.log(`${processors} processors, node ${node}, kernel ${kernel}, load ${load?.toFixed(1)}`);
  console.log(asTable(rows));
}

async function measureMount(
  cluster: BenchCluster,
  local: Reference,
  others: readonly Reference[],
): Promise<Row[]> {
  const mounted = join(cluster.directory, 'mounted');
  mkdirSync(mounted);
  const kept = values['keep-pages'] ? ['-o', 'keep_pages'] : [];
  const report = await cluster.weft('mount', mounted, '--json', ...kept);
  const { pid: mountPid } = JSON.parse(report) as { readonly pid: number };
  try {
    const sizes = values.quick ? quickSizes : fullSizes;
    const bench = { cluster, mountPid, users: crew, client, mounted, local, others, sizes };
    const found: Row[] = [];
    for (const name of wanted) found.push(...((await parts[name]?.(bench)) ?? []));
    found.push({
      group: 'memory',
      name: 'process of the mount, peak',
      value: residentMebibytes(mountPid, 'peak'),
      unit: 'MiB',
      limit: { name: 'bare node', value: bare.residentMebibytes },
    });
    return found;
  } finally {
    await cluster.weft('umount', '--lazy', mounted);
  }
}
