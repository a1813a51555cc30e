/** What clients append to a log, each line with its place: nothing may be lost, torn or repeated. */
import type { ClientProcess } from './cluster-fixture.ts';

/** @returns how many lines the client has appended; after `enough` it appends no more */
export async function linesOf(
  { child, answer }: ClientProcess,
  word: 'count' | 'enough' = 'count',
): Promise<number> {
  child.stdin?.write(`${word}\n`);
  return Number(await answer());
}

/** The lines of one client, in their order. */
export function linesOfClient(id: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${id} ${i} ${'.'.repeat((i % 100) * 7)}`);
}
