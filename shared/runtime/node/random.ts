/** `Random` of Node: quick fractions, and bytes fit for keys. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../runtime.ts';

export function makeRandom(): Random {
  return { fraction: () => Math.random(), bytes: (count) => randomBytes(count) };
}
