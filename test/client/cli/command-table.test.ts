import test from 'ava';
import { commandGroups, globalOptions } from '../../../client/cli/command-table.ts';

const commands = commandGroups.flatMap((group) => group.commands);

for (const spec of commands) {
  test(`weft ${spec.name} has code, and says what --json prints`, async (t) => {
    t.is(typeof (await spec.load()).run, 'function');
    t.true(spec.json.length > 0);
    t.true(spec.summary.length > 0 && spec.summary.length <= 70);
  });

  test(`weft ${spec.name} has no option twice, nor one that all commands have`, (t) => {
    const flags = [...spec.options, ...globalOptions].flatMap(
      ({ flags: text }) => text.match(/(?<![\w-])--?[\w-]+/g) ?? [],
    );
    t.deepEqual(flags, [...new Set(flags)]);
  });
}
