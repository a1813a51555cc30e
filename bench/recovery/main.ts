/**
 * What a death costs: how soon a daemon serves again, and what those who work meanwhile notice.
 * Each figure stands beside its bound, or the same with nothing open or killed in the same run.
 * Clients and daemons share the processors of one host here: the processor time of a start, of the
 * daemon alone, says more of a busy host than its length.
 *
 *     npm run bench:recovery -- [--sessions=1000] [--files=100] [--caps=1000] [--json]
 *
 * `--files`: of each session, its own. `--caps`: files that all sessions have open; 0 leaves it out.
 */
import { parseArgs } from 'node:util';
import { asJson, asTable, type Row } from '../rows.ts';
import { KillableCluster } from './killable-cluster.ts';
import { restartsWithCaps, restartsWithFiles } from './many-opens.ts';
import { outage, pauses, silence } from './notice.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    files: { type: 'string', default: '100' },
    caps: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const sessions = Number(values.sessions);
const files = { sessions, filesEach: Number(values.files) };
const caps = { sessions, filesEach: Number(values.caps) };
const iods = 4;

const rows: Row[] = [];
let addedMs = NaN;
await on(iods, async (cluster) => {
  addedMs = await restartsWithFiles(cluster, files, rows);
  await pauses(cluster, iods, rows);
  await silence(cluster, rows);
});
// Without the sessions above: that many in one process, trying to come back, take half a processor.
await on(iods, (cluster) => outage(cluster, iods, rows));
if (caps.filesEach > 0) {
  const fewer = { opens: sessions * files.filesEach, addedMs };
  await on(1, (cluster) => restartsWithCaps(cluster, caps, fewer, rows));
}
console.log(values.json ? asJson(rows, {}) : asTable(rows));

async function on(
  iodCount: number,
  measure: (cluster: KillableCluster) => Promise<void>,
): Promise<void> {
  const cluster = await KillableCluster.start(iodCount);
  try {
    await measure(cluster);
  } finally {
    await cluster.stop();
  }
}
