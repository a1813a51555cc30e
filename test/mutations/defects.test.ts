import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { defects } from './defects.ts';
import { withDefect } from './mutant.ts';
import { pageFile } from './table.ts';

for (const defect of defects) {
  test(`there is still one place for the defect: ${defect.title}`, (t) => {
    t.notThrows(() => withDefect(defect));
    for (const file of defect.noticedBy) t.true(existsSync(file), file);
  });
}

test('docs/MUTATIONS.md tells of each defect (npm run mutations)', (t) => {
  const page = readFileSync(pageFile, 'utf8');
  for (const { title } of defects) t.true(page.includes(`| ${title} |`), title);
});
