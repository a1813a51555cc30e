/** Memory of the daemons: after all that was measured before, and of the mgr with many files. */
import { type Bench, measured } from './bench.ts';
import { localNames } from './machine.ts';
import { perSecond } from './processes.ts';
import type { Row } from './rows.ts';

export async function measureMemory(bench: Bench): Promise<Row[]> {
  const { cluster, bare, scratch, sizes, workers } = bench;
  const group = 'memory';
  const limit = { name: 'bare node', value: bare.residentMebibytes };
  const common = { group, unit: 'MiB', limit } as const;
  const rows: Row[] = [
    { ...common, name: 'largest iod, peak', value: cluster.residentMebibytes('iod', 'peak') },
    { ...common, name: 'mgr, peak', value: cluster.residentMebibytes('mgr', 'peak') },
  ];
  if (sizes.treeFiles === 0) return rows;
  const files = sizes.treeFiles / workers.length;
  const outcome = await measured(bench, workers.length, (client) => {
    return { kind: 'tree', directory: `/tree-${client}`, files };
  });
  const name = `mgr with ${sizes.treeFiles.toLocaleString('en')} files`;
  rows.push(
    { ...common, name: `${name}, now`, value: cluster.residentMebibytes('mgr', 'now') },
    { ...common, name: `${name}, peak`, value: cluster.residentMebibytes('mgr', 'peak') },
    {
      group,
      name: 'files made for that',
      value: perSecond(outcome),
      unit: '/s',
      limit: { name: 'local create + fsync', value: localNames(scratch, 2000).durable },
      cpu: outcome.cpuUs / outcome.done,
    },
  );
  return rows;
}
