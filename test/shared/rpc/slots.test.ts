import test from 'ava';
import * as fc from 'fast-check';
import { limits } from '../../../shared/limits.ts';
import { Call, type CallOptions } from '../../../shared/rpc/call.ts';
import { Slots } from '../../../shared/rpc/slots.ts';
import { Window } from '../../../shared/rpc/window.ts';
import { ops } from './pair.ts';

function call(options: Partial<CallOptions> = {}): Call {
  const owner = { answered: () => undefined, failed: () => undefined };
  return new Call(owner, ops.change, { n: 1 }, { deadline: Infinity, ...options });
}

function end(one: Call): Call {
  one.resolve(undefined);
  return one;
}

const withBytes = (count: number): Call => call({ payload: [new Uint8Array(count)] });

test('no two calls have a slot at the same time, and its sequences only grow (SCENARIOS 165)', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 2000 }), (choices) => {
      const slots = new Slots();
      const running: Call[] = [];
      const last = new Map<number, number>();
      const started = (one: Call): void => {
        t.true(one.slot < limits.slotsPerSession);
        t.true(one.sequence > (last.get(one.slot) ?? 0));
        t.false(running.some(({ slot }) => slot === one.slot));
        last.set(one.slot, one.sequence);
        running.push(one);
      };
      for (const choice of choices) {
        if (choice % 3 > 0 || running.length === 0) {
          const one = call();
          if (slots.assign(one)) started(one);
        } else {
          const [one] = running.splice(choice % running.length, 1);
          if (one) slots.release(end(one)).forEach(started);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('more calls than slots wait, first come first served; those that are over are passed by', (t) => {
  const slots = new Slots();
  const running = Array.from({ length: limits.slotsPerSession }, () => call());
  t.true(running.every((one) => slots.assign(one)));
  const [first, second, third] = [call(), call(), call()];
  t.deepEqual(
    [first, second, third].map((one) => slots.assign(one)),
    [false, false, false],
  );
  t.deepEqual(slots.release(end(second)), [], 'it had none to give back');
  const [one = call(), other = call()] = running;
  t.deepEqual(slots.release(end(one)), [first]);
  t.deepEqual(slots.release(end(other)), [third]);
  t.is(third.slot, other.slot);
  t.is(third.sequence, 2);
});

test('the least slots are used again, so that a server keeps few replies', (t) => {
  const slots = new Slots();
  for (let i = 1; i < 10; i++) {
    const one = call();
    slots.assign(one);
    t.deepEqual([one.slot, one.sequence], [0, i]);
    slots.release(end(one));
  }
});

test('the bytes on their way stay within the window, but for one large call alone', (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.nat()), (bytes, choices) => {
      const window = new Window(100);
      const running: Call[] = [];
      const order: Call[] = [];
      const calls = bytes.map(withBytes);
      const started = (one: Call): void => {
        running.push(one);
        order.push(one);
        const sum = running.reduce((all, { bulkBytes }) => all + bulkBytes, 0);
        t.true(sum <= 100 || running.length === 1);
      };
      for (const one of calls) if (window.assign(one)) started(one);
      while (running.length > 0) {
        const [one] = running.splice((choices.next().value ?? 0) % running.length, 1);
        if (one) window.release(end(one)).forEach(started);
      }
      t.deepEqual(order, calls, 'all of them, in order');
    }),
    { numRuns: 50 },
  );
});

test('calls without bytes never wait for the window', (t) => {
  const window = new Window(10);
  t.true(window.assign(withBytes(10)));
  t.false(window.assign(withBytes(1)));
  t.true(window.assign(call()));
});

test('a large call that gives up waiting lets those behind it go', (t) => {
  const window = new Window(10);
  t.true(window.assign(withBytes(6)));
  const large = withBytes(8);
  const small = withBytes(2);
  t.false(window.assign(large));
  t.false(window.assign(small));
  t.deepEqual(window.release(end(large)), [small]);
});

test('the slot of a call that was given up is for the one that settles it, with the next sequence', (t) => {
  const slots = new Slots();
  const [given, other, settling, next] = [call(), call(), call(), call()];
  t.true(slots.assign(given) && slots.assign(other));
  slots.pass(given, settling);
  t.deepEqual([settling.slot, settling.sequence], [given.slot, given.sequence + 1]);
  t.deepEqual(slots.release(end(given)), [], 'it has none any more');
  slots.assign(next);
  t.not(next.slot, settling.slot);
  slots.release(end(settling));
  const last = call();
  slots.assign(last);
  t.deepEqual([last.slot, last.sequence], [given.slot, given.sequence + 2]);
});
