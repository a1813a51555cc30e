/** The thread that works while another waits may die at any moment; nobody waits for it in vain. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { Line } from '../../../client/sync/line.ts';

/** Answers as the real thread does; what it is told to do next is up to the test. */
const answering = `
  import { workerData } from 'node:worker_threads';
  const { port, cells } = workerData;
  function reply(message) {
    port.postMessage(message);
    Atomics.add(cells, 0, 1);
    Atomics.notify(cells, 0);
  }
  const plain = (value) => ({ is: 'plain', value });
`;

function program(t: ExecutionContext, source: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-line-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'program.mjs');
  writeFileSync(path, answering + source);
  return pathToFileURL(path).href;
}

const diesAtCall = (how: string): string => `
  reply({ result: plain(undefined) });
  port.on('message', () => { ${how} });
`;

test('a thread that cannot be loaded is an error at once', (t) => {
  t.throws(() => new Line({}, [program(t, 'import "./missing.mjs";')]), { code: 'EPIPE' });
});

test('a thread that ends before it says anything is an error at once', (t) => {
  t.throws(() => new Line({}, [program(t, 'process.exit(0);')]), { code: 'EPIPE' });
});

for (const how of ['throw new Error("broken")', 'process.exit(1)']) {
  test(`a call during which the thread dies fails, and so do those after it: ${how}`, (t) => {
    const line = new Line({}, [program(t, diesAtCall(how))]);
    t.throws(() => line.call('stat', []), { code: 'EPIPE' });
    t.throws(() => line.call('stat', []), { code: 'EPIPE' });
    t.throws(() => line.end(), { code: 'EPIPE' });
    t.throws(() => line.call('stat', []), { code: 'EBADF' });
  });
}

test.serial('a thread that dies between two calls fails the next one only', async (t) => {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const line = new Line({}, [
    program(
      t,
      `reply({ result: plain(undefined) });
       port.on('message', () => {
         reply({ result: plain('last') });
         setImmediate(() => { throw new Error('broken'); });
       });`,
    ),
  ]);
  t.is(line.call('stat', []), 'last');
  const [worker] = await started;
  worker.ref();
  // Not by `once`, which listens to 'error' too.
  await new Promise((ended) => worker.on('exit', ended));
  t.throws(() => line.call('stat', []), { code: 'EPIPE' });
});

test('a file system that was ended says so', (t) => {
  const source = `
    reply({ result: plain(undefined) });
    port.on('message', ({ method }) => reply({ result: plain(method) }));
  `;
  const line = new Line({}, [program(t, source)]);
  t.is(line.call('stat', []), 'stat');
  line.end();
  line.end();
  t.throws(() => line.call('stat', []), { code: 'EBADF' });
});
