import test from 'ava';
import { admit, makeLifecycle, type MgrState } from '../../mgr/lifecycle.ts';

const states: readonly MgrState[] = ['BOOT', 'RECOVERING', 'ACTIVE', 'STOPPED'];
const classes = ['link', 'read', 'write', 'control'] as const;

test('what each state does with each class of messages', (t) => {
  const verdicts = states.map((state) =>
    classes.map((one) => {
      try {
        admit(state, one);
        return 'serve';
      } catch (error) {
        return (error as { weftCode?: string }).weftCode;
      }
    }),
  );
  const [starting, stopping] = ['WEFT_E_STARTING', 'WEFT_E_DRAINING'];
  t.deepEqual(verdicts, [
    ['serve', starting, starting, starting],
    ['serve', 'serve', 'serve', 'serve'],
    ['serve', 'serve', 'serve', 'serve'],
    [stopping, stopping, stopping, stopping],
  ]);
});

test('which moves are legal', (t) => {
  const legal = new Set(['BOOT RECOVERING', 'RECOVERING ACTIVE']);
  for (const from of states) {
    for (const to of states) {
      const lifecycle = makeLifecycle(() => undefined);
      if (from === 'STOPPED') lifecycle.to('STOPPED', '');
      for (const step of states.slice(1, states.indexOf(from) + 1)) {
        if (from !== 'STOPPED') lifecycle.to(step, '');
      }
      const isLegal = legal.has(`${from} ${to}`) || (to === 'STOPPED' && from !== 'STOPPED');
      if (isLegal) t.notThrows(() => lifecycle.to(to, ''));
      else t.throws(() => lifecycle.to(to, ''), { message: /illegal move/ });
    }
  }
});
