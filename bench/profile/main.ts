/**
 * `npm run bench:profile`: where the processor time of the headlines goes, in the client, the mgr
 * and the iods, by samples of V8.
 *
 *     npm run bench:profile -- [--quick] [--json] [--only=create,stat,…] [--publish]
 *
 * `--publish` makes a part of docs/PERFORMANCE.md of it.
 */
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchCluster } from '../cluster.ts';
import { describeMachine } from '../peers/machine-described.ts';
import { publish } from '../peers/performance-files.ts';
import { Worker } from '../processes.ts';
import { headlines } from './headlines.ts';
import { inspectOption } from './inspected.ts';
import { ProfiledCluster } from './profiled-cluster.ts';
import { profileTable } from './page.ts';
import type { Profiled, ProfileReport } from './report.ts';

const iods = 4;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    publish: { type: 'boolean', default: false },
  },
});
const words = values.only?.split(',') ?? [''];
const scale = values.quick ? 1 / 8 : 1;
const [measured, sampled] = ['/measured', '/sampled'].map((directory) =>
  headlines(scale, directory).filter(({ name }) => words.some((word) => name.includes(word))),
);

const machine = describeMachine(tmpdir());
process.env['NODE_OPTIONS'] = inspectOption;
const cluster = await BenchCluster.start(iods);
const log = join(cluster.directory, 'client.log');
const fd = openSync(log, 'w');
const worker = new Worker('client-process.ts', fd);
const profiled: Profiled[] = [];
try {
  await worker.perform({ kind: 'connect', url: cluster.url, tcp: false });
  const processes = await ProfiledCluster.of(cluster, worker, log);
  for (const [i, headline] of (measured ?? []).entries()) {
    const again = sampled?.[i];
    if (again !== undefined) profiled.push(await processes.profile(headline, again));
  }
  processes.close();
} finally {
  await worker.end();
  closeSync(fd);
  await cluster.stop();
}
const report: ProfileReport = { schema: 1, isQuick: values.quick, machine, profiled };
console.log(values.json ? JSON.stringify(report) : profileTable(report));
if (values.publish) publish({ profile: report });
