import test from 'ava';
import { ChangeOrder, wholeObject } from '../../../iod/storage/change-order.ts';
import type { Handle } from '../../../shared/units.ts';

const file = 1 as Handle;
const other = 2 as Handle;

/** A change that ends when told to. */
function makeChange(log: string[], name: string) {
  let end: (() => void) | undefined;
  let fail: (() => void) | undefined;
  const change = (): Promise<void> => {
    log.push(`${name} begins`);
    return new Promise((resolve, reject) => {
      end = () => {
        log.push(`${name} ends`);
        resolve();
      };
      fail = () => {
        reject(new Error(name));
      };
    });
  };
  return { change, end: () => end?.(), fail: () => fail?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('changes of different bytes, and of different objects, run at once', (t) => {
  const order = new ChangeOrder();
  const log: string[] = [];
  void order.run(file, { from: 0, to: 10 }, makeChange(log, 'a').change);
  void order.run(file, { from: 10, to: 20 }, makeChange(log, 'b').change);
  void order.run(other, { from: 0, to: 10 }, makeChange(log, 'c').change);
  t.deepEqual(log, ['a begins', 'b begins', 'c begins']);
});

test('a change waits for all earlier ones that touch its bytes, and only for those', async (t) => {
  const order = new ChangeOrder();
  const log: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => makeChange(log, name));
  t.assert(a && b && c && d);
  if (!a || !b || !c || !d) return;
  const runs = [
    order.run(file, { from: 0, to: 10 }, a.change),
    order.run(file, { from: 20, to: 30 }, b.change),
    order.run(file, { from: 5, to: 25 }, c.change),
    order.run(file, { from: 6, to: 7 }, d.change),
  ];
  a.end();
  await turn();
  t.deepEqual(log, ['a begins', 'b begins', 'a ends']);
  b.end();
  await turn();
  c.end();
  await turn();
  d.end();
  for (const run of runs) await run;
  t.deepEqual(log.slice(3), ['b ends', 'c begins', 'c ends', 'd begins', 'd ends']);
});

test('a failed change fails for its caller alone, and the next one runs', async (t) => {
  const order = new ChangeOrder();
  const log: string[] = [];
  const a = makeChange(log, 'a');
  const b = makeChange(log, 'b');
  const failing = order.run(file, wholeObject, a.change);
  const following = order.run(file, { from: 3, to: 4 }, b.change);
  a.fail();
  await t.throwsAsync(async () => failing, { message: 'a' });
  await turn();
  b.end();
  await t.notThrowsAsync(async () => following);
});

test('settled waits for what runs and what waits, not for what comes later', async (t) => {
  const order = new ChangeOrder();
  const log: string[] = [];
  const a = makeChange(log, 'a');
  const b = makeChange(log, 'b');
  void order.run(file, wholeObject, a.change);
  void order.run(file, wholeObject, b.change);
  const settled = order.settled().then(() => log.push('settled'));
  void order.run(other, wholeObject, makeChange(log, 'late').change);
  a.end();
  await turn();
  t.false(log.includes('settled'));
  b.end();
  await settled;
  t.deepEqual(log.slice(-2), ['b ends', 'settled']);
});
