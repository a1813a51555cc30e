import test from 'ava';
import * as fc from 'fast-check';
import { Turns } from '../../../shared/runtime/turns.ts';

test('as many as may are attended to, the last that came first, and nobody twice or after his end', (t) => {
  const steps = fc.array(fc.record({ who: fc.nat(9), ends: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (sequence, max) => {
      const attended = new Set<number>();
      const turns = new Turns<number>(max, (begin) => begin());
      const taken = new Set<number>();
      const waiting: number[] = [];
      for (const { who, ends } of sequence) {
        if (ends) {
          turns.end(who);
          attended.delete(who);
          if (taken.delete(who)) {
            const next = waiting.pop();
            if (next !== undefined) taken.add(next);
          } else if (waiting.includes(who)) waiting.splice(waiting.indexOf(who), 1);
        } else if (!taken.has(who) && !waiting.includes(who)) {
          turns.take(who, () => attended.add(who));
          if (taken.size < max) taken.add(who);
          else waiting.push(who);
        }
        const numbers = [attended, taken].map((set) => [...set].toSorted((a, b) => a - b));
        t.deepEqual(numbers[0], numbers[1]);
      }
    }),
  );
});

test('turns that may begin later are those of the last that have come by then', (t) => {
  let begin = (): void => t.fail();
  const attended: string[] = [];
  const turns = new Turns<string>(2, (next) => {
    begin = next;
  });
  for (const who of ['a', 'b', 'c', 'd']) turns.take(who, () => attended.push(who));
  turns.end('d');
  t.deepEqual(attended, []);
  begin();
  t.deepEqual(attended, ['c', 'b']);
  turns.end('c');
  begin();
  t.deepEqual(attended, ['c', 'b', 'a']);
});
