/** Calls on names, which the mgr answers: all creates and unlinks are durable when they return. */
import { type Bench, measured } from './bench.ts';
import { localListing, localNames } from './machine.ts';
import { perSecond } from './processes.ts';
import type { Limit, Row } from './rows.ts';
import type { NameCall } from './tasks.ts';

const calls = [
  'create',
  'stat',
  'open + close',
  'writeFile of 4 KiB',
  'readFile of 4 KiB',
  'unlink',
] as const satisfies NameCall[];
type Call = (typeof calls)[number] | 'readdir';
const listedEntries = 100;
/** What changes nothing is done several times over: it is soon done once. */
const roundsOf: Readonly<Record<Call, number>> = {
  create: 1,
  stat: 10,
  'open + close': 5,
  'writeFile of 4 KiB': 1,
  'readFile of 4 KiB': 5,
  readdir: 1,
  unlink: 1,
};
/** Clients, and calls that each has on their way at once. */
const shapes = [
  { clients: 1, depth: 1 },
  { clients: 1, depth: 16 },
  { clients: 1, depth: 128 },
  { clients: 4, depth: 16 },
  { clients: 4, depth: 128 },
] as const;

export async function measureNames(bench: Bench): Promise<Row[]> {
  const local = localNames(bench.scratch, bench.sizes.names);
  const limits: Readonly<Record<Call, Limit>> = {
    create: { name: 'local create + fsync', value: local.durable },
    stat: { name: 'local stat', value: local.stat },
    'open + close': { name: 'local open + close', value: local.open },
    'writeFile of 4 KiB': { name: 'local create + fsync', value: local.durable },
    'readFile of 4 KiB': { name: 'local open + close', value: local.open },
    unlink: { name: 'local unlink, not durable', value: local.unlink },
    readdir: {
      name: `local readdir + ${listedEntries} stats`,
      value: localListing(bench.scratch, listedEntries),
    },
  };
  const rows: Row[] = [
    {
      group: 'the machine alone',
      name: 'local create, not durable',
      value: local.create,
      unit: '/s',
      limit: limits.create,
    },
  ];
  await fill(bench, '/listed', listedEntries);
  // Unmeasured: code that is not compiled yet takes ten times as long.
  for (const call of calls) await measure(bench, call, { clients: 4, depth: 16 }, limits[call]);
  for (const shape of shapes) {
    for (const call of calls) rows.push(await measure(bench, call, shape, limits[call]));
    rows.push(await measure(bench, 'readdir', shape, limits.readdir));
  }
  return rows;
}

async function measure(
  bench: Bench,
  call: Call,
  { clients, depth }: { readonly clients: number; readonly depth: number },
  limit: Limit,
): Promise<Row> {
  const isListing = call === 'readdir';
  const few = depth === 1 || isListing ? 10 : 1;
  if (call === 'create') {
    for (let client = 0; client < clients; client++) await fill(bench, `/names-${client}`, 0);
  }
  const count = bench.sizes.names / few;
  const rounds = depth === 1 ? 1 : roundsOf[call];
  const outcome = await measured(bench, clients, (client) => {
    const directory = isListing ? '/listed' : `/names-${client}`;
    return { kind: 'names', call, directory, depth, count, rounds };
  });
  return {
    group: `names, ${clients} client${clients > 1 ? 's' : ''}, ${depth} in flight${clients > 1 ? ' each' : ''}`,
    name: isListing ? `readdir of ${listedEntries} with attributes` : call,
    value: perSecond(outcome),
    unit: '/s',
    limit,
    cpu: outcome.cpuUs / outcome.done,
  };
}

/** Makes a directory with so many files. */
async function fill(bench: Bench, directory: string, files: number): Promise<void> {
  await bench.workers[0]?.perform({ kind: 'tree', directory, files });
}
