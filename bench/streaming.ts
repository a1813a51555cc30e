/** A large file written and read in order. */
import { type Bench, measured } from './bench.ts';
import { pageCache, warmMemory } from './machine.ts';
import { perSecond } from './processes.ts';
import type { Limit, Row } from './rows.ts';
import type { Outcome, StreamingWay } from './tasks.ts';

const KiB = 1024;
const GiB = 1024 ** 3;
const directions = ['write', 'overwrite', 'read'] as const;

interface Streaming {
  readonly bench: Bench;
  readonly clients: number;
  readonly callBytes: number;
  readonly way: StreamingWay;
}

export async function measureStreaming(bench: Bench): Promise<Row[]> {
  const { loopback, sizes, scratch, workers, cluster } = bench;
  const { callBytesUsual: callBytes } = sizes;
  const limit = async (): Promise<Limit> => ({
    name: 'loopback TCP',
    value: await loopback.stream(sizes.streamBytes / 2),
  });
  const one = { bench, clients: 1 };
  // Unmeasured: all code is compiled and all memory touched when the measuring begins.
  for (let round = 0; round < 2; round++) {
    await measureBoth({ ...one, callBytes, way: '4 calls at once' }, '', await limit());
  }
  const rows = machineRows(pageCache(scratch, sizes.randomFileBytes), await limit());
  const group = 'streaming, 1 client (unix sockets, as on one host)';
  for (const size of sizes.callBytes) {
    rows.push(
      ...(await measureBoth({ ...one, callBytes: size, way: 'calls' }, group, await limit())),
    );
  }
  for (const way of ['4 calls at once', 'stream'] as const) {
    rows.push(...(await measureBoth({ ...one, callBytes, way }, group, await limit())));
  }
  const connect = async (tcp: boolean, writeBehind = false): Promise<void> => {
    await workers[0]?.perform({ kind: 'connect', url: cluster.url, tcp, writeBehind });
  };
  await connect(false, true);
  for (const size of [4 * KiB, ...sizes.callBytes]) {
    const group = 'streaming, 1 client, with `writeBehind`';
    const streaming: Streaming = { ...one, callBytes: size, way: 'calls' };
    rows.push(...(await measureBoth(streaming, group, await limit())));
  }
  await connect(true);
  for (const way of ['calls', '4 calls at once'] as const) {
    const group = 'streaming, 1 client (TCP, as between hosts)';
    rows.push(...(await measureBoth({ ...one, callBytes, way }, group, await limit())));
  }
  await connect(false);
  for (const size of sizes.callBytes) {
    const clients = workers.length;
    const group = `streaming, ${clients} clients, a file each`;
    const streaming: Streaming = { bench, clients, callBytes: size, way: 'calls' };
    rows.push(...(await measureBoth(streaming, group, await limit())));
  }
  return rows;
}

async function measureBoth(streaming: Streaming, group: string, limit: Limit): Promise<Row[]> {
  const { bench, clients, callBytes, way } = streaming;
  const bytes = bench.sizes.streamBytes / clients;
  const rows: Row[] = [];
  for (const direction of directions) {
    if (direction === 'write') {
      await removeFiles(bench, clients);
      warmMemory(bench.scratch, bench.sizes.streamBytes);
    }
    const outcome = await measured(bench, clients, (client) => {
      return { kind: 'stream', path: `/stream-${client}`, direction, bytes, callBytes, way };
    });
    const name = `${direction}, ${sizeName(callBytes)}, ${way}`;
    rows.push(rowOf(group, name, outcome, limit));
  }
  return rows;
}

/** What is written next is new, and no time is spent on freeing what was there. */
async function removeFiles({ workers }: Bench, clients: number): Promise<void> {
  const removals = workers
    .slice(0, clients)
    .map((worker, client) => worker.perform({ kind: 'remove', path: `/stream-${client}` }));
  await Promise.all(removals);
}

function rowOf(group: string, name: string, outcome: Outcome, limit: Limit): Row {
  const cpu = (outcome.cpuUs * GiB) / 1e6 / outcome.done;
  return { group, name, value: perSecond(outcome) / 1e6, unit: 'MB/s', limit, cpu };
}

function machineRows(
  cache: { readonly write: number; readonly read: number },
  limit: Limit,
): Row[] {
  return (['write', 'read'] as const).map((direction) => ({
    group: 'the machine alone',
    name: `page cache, ${direction}, calls of 1 MiB`,
    value: cache[direction],
    unit: 'MB/s',
    limit,
  }));
}

function sizeName(bytes: number): string {
  return bytes < KiB * KiB ? `${bytes / KiB} KiB` : `${bytes / KiB / KiB} MiB`;
}
