import test from 'ava';
import type { UserTask } from '../../bench/mount/user-tasks.ts';
import { Worker } from '../../bench/processes.ts';

test('a worker that has failed at a task does the next', async (t) => {
  const worker = new Worker<UserTask>('mount/user-process.ts');
  t.teardown(async () => worker.end());
  const files = { kind: 'files', call: 'stat', count: 1 } as const;
  await t.throwsAsync(worker.perform({ ...files, directory: '/no/such/place' }), {
    message: /ENOENT/,
  });
  t.is((await worker.perform({ ...files, directory: '/', count: 0 })).done, 0);
});
