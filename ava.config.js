import { createHash } from 'node:crypto';

/** `TEST_ORDER=7 npx ava` runs the files in another order: the same one for the same words. */
const { TEST_ORDER: order } = process.env;
const placeOf = (file) => createHash('sha256').update(`${order} ${file}`).digest('hex');

/** What takes longest begins first, so that all processors are busy to the end. */
const longest = [
  'sim/kill-pairs-',
  'system/real-input',
  'sim/all-faults',
  'system/recovery.test',
  'sim/kill-points',
  'sim/coherence',
  'sim/single-faults',
];
const turnOf = (file) => {
  const turn = longest.findIndex((name) => file.includes(`/test/${name}`));
  return turn < 0 ? longest.length : turn;
};
const byLength = (a, b) => turnOf(a) - turnOf(b) || (a < b ? -1 : 1);
const byOrder = (a, b) => (placeOf(a) < placeOf(b) ? -1 : 1);

export default {
  files: ['test/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=./test/sources/register.js'],
  workerThreads: false,
  concurrency: 2,
  timeout: '5m',
  sortTestFiles: order ? byOrder : byLength,
};
