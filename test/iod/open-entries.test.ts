import test from 'ava';
import * as fc from 'fast-check';
import { OpenEntries } from '../../iod/open-entries.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { OpenEntry } from '../../shared/wire/values.ts';

const entry = (handle: number, session: number, rights: number, sequence: number): OpenEntry => ({
  handle: handle as Handle,
  session: session as SessionId,
  rights,
  sequence,
});

const byKey = (a: OpenEntry, b: OpenEntry): number => a.handle - b.handle || a.session - b.session;

/** Few keys, that collide often, and some far apart. */
const keys = fc.tuple(
  fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(2 ** 32 + 1, 2 ** 53 - 1)),
  fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(2 ** 40, 2 ** 53 - 1)),
);

test('it holds what a map holds, whatever is set and deleted', (t) => {
  const steps = fc.array(
    fc.record({ key: keys, remove: fc.boolean(), rights: fc.nat(3), sequence: fc.maxSafeNat() }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(steps, (sequence) => {
      const entries = new OpenEntries();
      const model = new Map<string, OpenEntry>();
      for (const { key, remove, rights, sequence: number } of sequence) {
        const one = entry(...key, rights, number);
        if (remove) {
          entries.delete(one.handle, one.session);
          model.delete(String(key));
        } else {
          entries.set(one);
          model.set(String(key), one);
        }
        t.is(entries.size, model.size);
        t.is(entries.rights(one.handle, one.session), model.get(String(key))?.rights ?? 0);
      }
      t.deepEqual([...entries].toSorted(byKey), [...model.values()].toSorted(byKey));
      for (const one of model.values()) t.deepEqual(entries.get(one.handle, one.session), one);
    }),
  );
});

test('a hundred thousand entries come and go, and the room they took with them', (t) => {
  const entries = new OpenEntries();
  const count = 100_000;
  for (let one = 1; one <= count; one++) entries.set(entry(one, (one % 97) + 1, 3, one));
  t.is(entries.size, count);
  const evens = entries.select((_, sequence) => sequence % 2 === 0);
  t.is(evens.length, count / 2);
  for (const { handle, session } of evens) entries.delete(handle, session);
  for (let one = 1; one <= count; one++) {
    const expected = one % 2 === 0 ? 0 : 3;
    if (entries.rights(one as Handle, ((one % 97) + 1) as SessionId) !== expected) t.fail(`${one}`);
  }
  for (const { handle, session } of entries.select(() => true)) entries.delete(handle, session);
  t.is(entries.size, 0);
  t.deepEqual([...entries], []);
});
