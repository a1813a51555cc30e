import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

// All at once, and changed ones only: with files that each test process translates for itself
// (tsx) the suite takes two fifths longer. Types are looked at by `npm run check`.
const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
const settings = fileURLToPath(new URL('tsconfig.test.json', import.meta.url));
execFileSync(process.execPath, [compiler, '-p', settings], { stdio: 'inherit' });

/** `TEST_ORDER=7 npx ava` runs the files in another order: the same one for the same words. */
const { TEST_ORDER: order = '' } = process.env;
const placeOf = (file) =>
  createHash('sha256')
    .update(`${order} ${file.split('/test/').at(-1)}`)
    .digest('hex');

/** What takes longest begins first, so that all processors are busy to the end. */
const longest = [
  'system/real-input',
  'sim/kill-pairs-',
  'recovery/kills',
  'sim/all-faults',
  'system/health',
  'recovery/bytes',
  'sim/kill-points',
  'system/kept-pages',
  'system/mount-programs',
  'sim/single-faults',
  'system/dashboard',
  'system/cli.test',
  'system/recovery.test',
  'sim/reconnect-storms',
  'sim/coherence',
];
const turnOf = (file) => {
  const turn = longest.findIndex((name) => file.includes(`/test/${name}`));
  return turn < 0 || order ? longest.length : turn;
};
/** The others as chance has it, so that those which wait run beside those which compute. */
const byPlace = (a, b) => (placeOf(a) < placeOf(b) ? -1 : 1);

export default {
  files: ['test/**/*.test.ts'],
  // Failures name the lines of the sources.
  nodeArguments: ['--enable-source-maps'],
  typescript: { compile: false, rewritePaths: { 'test/': 'build/test/' } },
  workerThreads: false,
  // Of two processors: tests of real processes wait more than they compute.
  concurrency: 3,
  timeout: '5m',
  sortTestFiles: (a, b) => turnOf(a) - turnOf(b) || byPlace(a, b),
};
