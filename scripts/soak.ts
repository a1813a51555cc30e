/**
 * `npm run soak`: the campaigns that take too long for every day. A file of 3 GiB goes through a
 * real cluster, and thousands of seeds through the simulated one. All of them run, whatever the
 * first one says; exits with 1 when one has failed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Campaign {
  readonly title: string;
  readonly command: readonly string[];
}

const seeds = 5000;

const campaigns: readonly Campaign[] = [
  {
    title: 'trees and files of real size',
    command: ['node_modules/.bin/ava', '--timeout=60m', 'test/system/real-input.test.ts'],
  },
  {
    title: `${seeds} simulated clusters`,
    command: ['--import=tsx', 'test/sim/main.ts', '--seeds', `1..${seeds}`, '--keep-going'],
  },
  {
    title: 'all pairs of kill points',
    command: ['--import=tsx', 'test/sim/main.ts', '--kill-pairs', 'all', '--keep-going'],
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

for (const campaign of campaigns) {
  if (!(await passes(campaign))) process.exitCode = 1;
}
