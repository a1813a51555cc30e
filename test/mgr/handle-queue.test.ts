import test from 'ava';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { HandleQueue } from '../../mgr/handle-queue.ts';

const one = 1 as Handle;
const two = 2 as Handle;

function gate(): { readonly open: () => void; readonly promise: Promise<void> } {
  const controller = new AbortController();
  const promise = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve());
  });
  return { open: () => controller.abort(), promise };
}

test('tasks of one file run one at a time, first come, first served', async (t) => {
  const queue = new HandleQueue();
  const order: string[] = [];
  const task = (name: string) => async (): Promise<string> => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => queue.run(one, task(name))));
  t.deepEqual(results, ['a', 'b', 'c']);
  t.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  t.false(queue.isBusy(one));
});

test('another file does not wait', async (t) => {
  const queue = new HandleQueue();
  const blocked = gate();
  const first = queue.run(one, () => blocked.promise);
  await queue.run(two, () => Promise.resolve());
  t.true(queue.isBusy(one));
  t.is(queue.waitingCount, 0);
  const second = queue.run(one, () => Promise.resolve());
  t.is(queue.waitingCount, 1);
  blocked.open();
  await first;
  await second;
  t.is(queue.waitingCount, 0);
});

test('a task that fails is told so, and the next one runs', async (t) => {
  const queue = new HandleQueue();
  const failing = queue.run(one, () => Promise.reject(new Error('no')));
  const next = queue.run(one, () => Promise.resolve('yes'));
  await t.throwsAsync(failing, { message: 'no' });
  t.is(await next, 'yes');
  t.false(queue.isBusy(one));
});

test('more than the bound is refused with EAGAIN', async (t) => {
  const queue = new HandleQueue();
  const blocked = gate();
  const all = [queue.run(one, () => blocked.promise)];
  for (let i = 0; i < limits.sizeChangesQueuedMax; i++) {
    all.push(queue.run(one, () => Promise.resolve()));
  }
  await t.throwsAsync(
    queue.run(one, () => Promise.resolve()),
    { message: /EAGAIN/ },
  );
  blocked.open();
  await Promise.all(all);
  t.false(queue.isBusy(one));
});
