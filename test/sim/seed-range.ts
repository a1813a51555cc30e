/** Seeds as they are told on a command line. Pure. */

/** The first and the last of a row. */
export type SeedRange = readonly [number, number];

/**
 * @param text `N`: the first N seeds; `A..B`: all from A to B
 * @returns `undefined` when it tells of no seed
 */
export function seedRange(text: string): SeedRange | undefined {
  const [, from = '1', to] = /^(?:(\d{1,9})\.\.)?(\d{1,9})$/.exec(text) ?? [];
  if (to === undefined || Number(from) > Number(to)) return undefined;
  return [Number(from), Number(to)];
}
