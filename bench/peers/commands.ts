/** Commands of others: what they say, and the processes that they leave behind. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

const patienceMs = 30_000;
const execute = promisify(execFile);

/** @returns what it printed @throws with what it complained of, or when it takes longer than 30 s */
export async function run(program: string, ...words: readonly string[]): Promise<string> {
  return (await execute(program, words, { timeout: patienceMs })).stdout;
}

const lookMs = 100;
const looksMax = 200;

/** Tries it again until it does not throw. @throws what it threw, when it still does after 20 s */
export async function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await attempt();
    } catch (error: unknown) {
      if (looks === looksMax) throw error;
      await setTimeout(lookMs);
    }
  }
}

/** Daemons are found by what they were started with: ids of those whose words match. */
export function processesLike(pattern: RegExp): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && pattern.test(wordsOf(name)))
    .map(Number);
}

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It has ended since.
  }
}
