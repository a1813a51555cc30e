import test from 'ava';
import { Machine, type Transitions } from '../../shared/machine.ts';

type State = 'boot' | 'serving' | 'stopped';

const transitions: Transitions<State> = {
  boot: ['serving', 'stopped'],
  serving: ['stopped'],
  stopped: [],
};
const states = Object.keys(transitions) as State[];

for (const from of states) {
  for (const to of states) {
    const legal = transitions[from].includes(to);
    test(`${from} to ${to} is ${legal ? 'seen once, after the move' : 'a mistake of ours'}`, (t) => {
      const seen: string[] = [];
      const machine = new Machine(transitions, from, (was, is, why) => {
        seen.push(`${was} ${is} ${why} ${machine.state}`);
      });
      t.deepEqual(seen, []);
      if (legal) {
        machine.to(to, 'told to');
        t.is(machine.state, to);
        t.deepEqual(seen, [`${from} ${to} told to ${to}`]);
        return;
      }
      const error = t.throws(() => machine.to(to, 'told to'), { name: 'AssertionError' });
      const moves = transitions[from].join(', ') || 'none';
      t.is(error.message, `illegal move ${from} -> ${to} (told to); legal: ${moves}`);
      t.is(machine.state, from);
      t.deepEqual(seen, []);
    });
  }
}

test('a machine is in one of the states asked for, or in none of them', (t) => {
  const machine = new Machine(transitions, 'boot', () => undefined);
  t.true(machine.is('boot'));
  t.true(machine.is('stopped', 'boot'));
  t.false(machine.is('serving', 'stopped'));
  t.false(machine.is());
});
