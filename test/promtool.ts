/** `promtool` of Debian's package `prometheus`. Tests that need it are skipped by name without it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import test, { type Implementation } from 'ava';

const isThere = spawnSync('promtool', ['--version']).error === undefined;

export function promtoolTest(title: string, implementation: Implementation<[]>): void {
  if (isThere) test.serial(title, implementation);
  else test.serial.skip(`${title} [no promtool]`, implementation);
}

export interface Verdict {
  readonly code: number | null;
  /** Standard output and error, in the order in which they came. */
  readonly words: string;
}

/** Runs it, with `input` as its standard input. */
export async function promtool(args: readonly string[], input = ''): Promise<Verdict> {
  const child = spawn('promtool', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, words };
}
