import test from 'ava';
import { halves, walkPart } from './kill-pairs.ts';

for (const part of halves[1]) {
  test.serial(
    `two deaths end as one does, and so does the next (SCENARIOS 83, 84; part ${part})`,
    async (t) => {
      await walkPart(t, part);
    },
  );
}
