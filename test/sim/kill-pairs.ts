/** Death at a named step, and again at another, also in the recovery from the first: in parts. */
import type { ExecutionContext } from 'ava';
import { chains, walkChain } from './kill-walk.ts';

/** Tests, so that a failure is told soon; of two files, so that two processors share them. */
export const halves = [
  [1, 2, 3, 4, 5],
  [6, 7, 8, 9, 10],
] as const;

export async function walkPart(t: ExecutionContext, part: number): Promise<void> {
  for (const chain of chains.filter((_, at) => at % halves.flat().length === part - 1)) {
    await t.notThrowsAsync(walkChain(chain), chain.join(', then '));
  }
}
