import { readFileSync } from 'node:fs';
import test from 'ava';
import { performanceFiles, withParts } from '../../../bench/peers/performance-files.ts';
import { projectPath } from '../../../scripts/project.ts';

test('docs/PERFORMANCE.md and its charts are what the reports in docs/performance say', (t) => {
  for (const [path, content] of Object.entries(performanceFiles())) {
    const stored = readFileSync(projectPath(`docs/${path}`), 'utf8');
    t.true(stored === content, `${path}: run node --import=tsx bench/peers/doc/main.ts`);
  }
});

test('a part of the page takes the place of what was between its marks', (t) => {
  const page = 'a\n<!-- x: begin -->\n\nold\n\n<!-- x: end -->\nb\n';
  const wanted = 'a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n';
  t.is(withParts(page, { x: 'new' }), wanted);
  t.is(withParts(wanted, { x: 'new' }), wanted);
});

test('a page without the marks is refused', (t) => {
  t.throws(() => withParts('a\n<!-- x: begin -->\n', { x: 'new' }), { message: /x: end/ });
});
