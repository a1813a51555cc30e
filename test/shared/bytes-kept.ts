/** What a container keeps of what went through it when only the young are collected. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;

const things = 20_000;
const bytesEach = 800;

/**
 * @param pass takes thing `n` in, and lets an earlier one go
 * @returns as a part of all bytes that went through
 */
export function bytesKept(pass: (n: number, thing: object) => void): number {
  const run = (from: number): void => {
    for (let n = from; n < from + things; n++) {
      pass(n, Array.from({ length: bytesEach / 8 }));
      // Twice, because what survives two collections is old.
      if (n % 1000 === 0) for (const type of ['minor', 'minor'] as const) collect({ type });
    }
  };
  run(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  run(things);
  collect({ type: 'minor' });
  return (process.memoryUsage().heapUsed - before) / (things * bytesEach);
}
