/**
 * `npm run soak`: the campaigns that take too long for every day. A file of 3 GiB goes through a
 * real cluster, and thousands of seeds through the simulated one; real processes are killed,
 * stopped and cut off at random. All of them run, whatever the first one says; exits with 1 when
 * one has failed. With `--minutes M [--seed N]` only the last of them runs, for so long.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

interface Campaign {
  readonly title: string;
  readonly command: readonly string[];
}

const seeds = 5000;
const jobs = String(availableParallelism());
const recoveryMinutes = 10;
const recovery = ['--import=tsx', 'test/recovery/main.ts'];

const campaigns: readonly Campaign[] = [
  {
    title: 'trees and files of real size',
    command: ['node_modules/.bin/ava', '--timeout=60m', 'test/system/real-input.test.ts'],
  },
  {
    title: 'connections cut at every byte',
    command: ['node_modules/.bin/ava', '--timeout=60m', 'test/recovery/bytes.test.ts'],
  },
  {
    title: `${seeds} simulated clusters`,
    command: ['--import=tsx', 'test/sim/main.ts', '--seeds', `1..${seeds}`, '--jobs', jobs],
  },
  {
    title: `real processes under random faults for ${recoveryMinutes} minutes`,
    command: [...recovery, '--minutes', String(recoveryMinutes)],
  },
];

const root = fileURLToPath(new URL('..', import.meta.url));

async function passes({ title, command }: Campaign): Promise<boolean> {
  console.log(`soak: ${title}`);
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, WEFT_SOAK: '1' },
  });
  await once(child, 'close');
  const passed = child.exitCode === 0;
  console.log(`soak: ${title}: ${passed ? 'passed' : 'FAILED'}`);
  return passed;
}

/** What was asked for is checked by the program that does it. */
const asked = process.argv.slice(2);
const wanted =
  asked.length === 0
    ? campaigns
    : [{ title: 'real processes under random faults', command: [...recovery, ...asked] }];
for (const campaign of wanted) {
  if (!(await passes(campaign))) process.exitCode = 1;
}
