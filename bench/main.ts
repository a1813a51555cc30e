/**
 * `npm run bench`: a cluster of a mgr and four iods on this host, measured beside what the host
 * does alone, all in one run, because only such ratios mean anything on another machine.
 *
 *     npm run bench -- [--quick] [--json] [--only=streaming,random,names,memory]
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, full, quick } from './bench.ts';
import { BenchCluster } from './cluster.ts';
import { bareProcess, startLoopback } from './machine.ts';
import { measureMemory } from './memory.ts';
import { measureNames } from './names.ts';
import { Worker } from './processes.ts';
import { measureRandom } from './random.ts';
import { asJson, asTable, type Row } from './rows.ts';
import { measureStreaming } from './streaming.ts';

const iods = 4;
const clients = 4;
const parts: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  streaming: measureStreaming,
  random: measureRandom,
  names: measureNames,
  memory: measureMemory,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const wanted = values.only?.split(',') ?? Object.keys(parts);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);

const bare = await bareProcess();
const loopback = await startLoopback();
const workers = Array.from({ length: clients }, () => new Worker('client-process.ts'));
const rows: Row[] = [];
try {
  const cluster = await BenchCluster.start(iods);
  try {
    const scratch = join(cluster.directory, 'scratch');
    mkdirSync(scratch);
    rows.push({
      group: 'start',
      name: `weft up, mgr and ${iods} iods`,
      value: cluster.upMs,
      unit: 'ms',
      limit: { name: 'bare node, start to end', value: bare.ms },
    });
    const sizes = values.quick ? quick : full;
    const bench = { cluster, workers, loopback, scratch, sizes, bare };
    await Promise.all(
      workers.map((worker) => worker.perform({ kind: 'connect', url: cluster.url, tcp: false })),
    );
    for (const name of wanted) rows.push(...((await parts[name]?.(bench)) ?? []));
  } finally {
    await cluster.stop();
  }
} finally {
  await Promise.all(workers.map((worker) => worker.end()));
  loopback.end();
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
