import test from 'ava';
import { commandGroups } from '../../client/cli/command-table.ts';
import { healthCatalogue } from '../../shared/health-catalogue.ts';

const commands = new Set(commandGroups.flatMap((group) => group.commands.map(({ name }) => name)));

for (const [code, entry] of Object.entries(healthCatalogue)) {
  test(`${code} tells cause, effect and a command that there is`, (t) => {
    t.regex(code, /^WEFT_H_[A-Z]+(_[A-Z]+)*$/);
    for (const text of [entry.what, entry.cause, entry.effect, entry.advice]) {
      t.true(text.length > 0 && text.length <= 100, text);
    }
    const [, ...named] = entry.advice.split(/\bweft /);
    t.true(named.length > 0, 'no command helps');
    for (const words of named) {
      const [name = ''] = /^[a-z]+/.exec(words) ?? [];
      t.true(commands.has(name) || name === 'iod', `weft ${name}`);
    }
  });
}
