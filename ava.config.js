import { createHash } from 'node:crypto';

/** `TEST_ORDER=7 npx ava` runs the files in another order: the same one for the same words. */
const { TEST_ORDER: order } = process.env;
const placeOf = (file) => createHash('sha256').update(`${order} ${file}`).digest('hex');

export default {
  files: ['test/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  concurrency: 2,
  timeout: '5m',
  ...(order && { sortTestFiles: (a, b) => (placeOf(a) < placeOf(b) ? -1 : 1) }),
};
