import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { importsOf, readTree } from '../../../scripts/check/source-tree.ts';

test('every form of import is seen, with its line and where it leads', (t) => {
  const text = [
    '/** Example: `import { no } from "./no.ts"`. */',
    "import a from './a.ts';",
    'import type {',
    '  B,',
    "} from '../b.ts';",
    "import * as c from 'node:fs';",
    "import d, { type e as f } from '@scope/d';",
    "import './side-effect.ts';",
    "export * from './g.ts';",
    "export { h } from './h.ts';",
    "const i = await import('./i.ts');",
    "const j = new URL('./j.ts', import.meta.url);",
    "const text = 'import k from k';",
    "export const from = 'l';",
  ].join('\n');
  const seen = importsOf('mgr/store/x.ts', text)
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, clause, specifier, target, loads }) => [
      line,
      clause,
      target ?? specifier,
      loads,
    ]);
  t.deepEqual(seen, [
    [2, 'a', 'mgr/store/a.ts', true],
    [5, 'type {\n  B,\n}', 'mgr/b.ts', true],
    [6, '* as c', 'node:fs', true],
    [7, 'd, { type e as f }', '@scope/d', true],
    [8, '', 'mgr/store/side-effect.ts', true],
    [9, '*', 'mgr/store/g.ts', true],
    [10, '{ h }', 'mgr/store/h.ts', true],
    [11, '', 'mgr/store/i.ts', true],
    [12, '', 'mgr/store/j.ts', false],
  ]);
});

test('the tree holds the files that are not ignored, and their text', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'weftfs-tree-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const files = (
    'a.ts iodtab docs/b.md docs/picture.png bench/main.ts bench/results.md dist/c.ts ' +
    'deep/dist/d.ts bench/results/e.md f.tsbuildinfo .git/h'
  ).split(' ');
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), `text of ${file}`);
  }
  writeFileSync(join(root, '.gitignore'), '# made\ndist/\nbench/results/\n\n*.tsbuildinfo\n');
  const tree = readTree(root);
  t.deepEqual([...tree.keys()].toSorted(), [
    '.gitignore',
    'a.ts',
    'bench/main.ts',
    'bench/results.md',
    'docs/b.md',
    'docs/picture.png',
    'iodtab',
  ]);
  t.is(tree.get('docs/b.md'), 'text of docs/b.md');
  t.is(tree.get('docs/picture.png'), '');
});

test('a .gitignore that the tree cannot read is not half understood', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'weftfs-tree-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, '.gitignore'), 'dist/\n!kept\n');
  t.throws(() => readTree(root), { message: /neither DIRECTORY\/ nor \*\.ENDING/ });
});
