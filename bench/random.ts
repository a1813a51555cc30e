/** Blocks of 4 KiB at random places of a file that the iods have in their page cache. */
import { type Bench, measured } from './bench.ts';
import { pageCache } from './machine.ts';
import { perSecond } from './processes.ts';
import type { Row } from './rows.ts';

const path = '/random';
const directions = ['read', 'write'] as const;
const warmUpMs = 500;

export async function measureRandom(bench: Bench): Promise<Row[]> {
  const { randomFileBytes: fileBytes, randomMs: ms } = bench.sizes;
  await measured(bench, 1, () => {
    const way = '4 calls at once';
    const callBytes = bench.sizes.callBytesUsual;
    return { kind: 'stream', path, direction: 'write', bytes: fileBytes, callBytes, way };
  });
  for (const direction of directions) {
    await measured(bench, 1, () => {
      return { kind: 'random', path, direction, fileBytes, depth: 16, ms: warmUpMs };
    });
  }
  const local = pageCache(bench.scratch, fileBytes);
  const rows: Row[] = [];
  for (const depth of [1, 16, 128]) {
    const sockets = await bench.loopback.exchange(depth, ms);
    const limit = { name: `bare socket, 64 B for 4 KiB, depth ${depth}`, value: sockets };
    for (const direction of directions) {
      const outcome = await measured(bench, 1, () => {
        return { kind: 'random', path, direction, fileBytes, depth, ms };
      });
      rows.push({
        group: 'random blocks of 4 KiB, 1 client',
        name: `${direction}, depth ${depth}`,
        value: perSecond(outcome),
        unit: '/s',
        limit,
        cpu: outcome.cpuUs / outcome.done,
      });
    }
    if (depth > 1) continue;
    for (const [name, value] of [
      ['page cache, read', local.randomRead],
      ['page cache, write', local.randomWrite],
    ] as const) {
      rows.push({ group: 'the machine alone', name, value, unit: '/s', limit });
    }
  }
  return rows.toSorted((a, b) => a.group.localeCompare(b.group));
}
