/** What `--stripe`, `--iods` and `--base` ask of new files. */
import { limits } from '../../shared/limits.ts';
import type { LayoutWish } from '../../shared/wire/values.ts';
import { type Arguments, UsageError } from './arguments.ts';

/** @returns `undefined` when nothing is asked for */
export function layoutWish(given: Arguments): Partial<LayoutWish> | undefined {
  const ssize = given.bytes('stripe');
  if (ssize !== undefined && (ssize < limits.stripeBytesMin || ssize > limits.stripeBytesMax)) {
    throw new UsageError(
      `--stripe takes from ${limits.stripeBytesMin} to ${limits.stripeBytesMax} bytes`,
      'write it as in --stripe 1M',
    );
  }
  const pcount = given.count('iods', { min: 1, max: limits.iodsMax });
  const base = given.count('base', { min: 0, max: limits.iodsMax - 1 });
  return [ssize, pcount, base].some((one) => one !== undefined)
    ? { ssize, pcount, base }
    : undefined;
}
