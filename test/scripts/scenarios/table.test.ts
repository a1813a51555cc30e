import { readFileSync } from 'node:fs';
import test from 'ava';
import { readTree } from '../../../scripts/check/source-tree.ts';
import { numbersIn, pageWith, scenariosIn, shown } from '../../../scripts/scenarios/table.ts';
import { withoutTest } from '../../../scripts/scenarios/without-test.ts';
import { projectPath } from '../../../scripts/project.ts';

/** Not in one piece with numbers: this file stands for none. */
const word = 'SCENARIOS';
const scenariosOfCatalogue = 290;

test('numbers and ranges of them are found wherever they are named', (t) => {
  t.deepEqual(numbersIn(`it works (${word} 7)`), [7]);
  t.deepEqual(
    numbersIn(`test('it works (${word} 35-37, 86)');\n// ${word} 4`),
    [35, 36, 37, 86, 4],
  );
  t.deepEqual(numbersIn(`it works (${word} 100, seed 3)`), [100]);
  t.deepEqual(numbersIn('it works as in 35'), []);
});

test('what is named in tests counts, and nothing else does', (t) => {
  const content = `test('it works (${word} 3-4)')`;
  const paths = ['test/b.test.ts', 'test/a.test.ts', 'test/helper.ts', 'mgr/c.test.ts'];
  const tree = new Map(paths.map((path) => [path, content]));
  const files = ['test/a.test.ts', 'test/b.test.ts'];
  t.deepEqual(scenariosIn(tree), new Map([3, 4].map((number) => [number, files])));
});

test('runs of numbers are shown as such', (t) => {
  t.is(shown([93, 108, 109, 203, 204, 205]), '93, 108-109, 203-205');
});

test('each scenario of the catalogue has a test, or stands in the list of those without, and none in both', (t) => {
  const tested = scenariosIn(readTree(projectPath()));
  const untested = withoutTest.flatMap(({ scenarios }) => scenarios);
  const all = Array.from({ length: scenariosOfCatalogue }, (_, i) => i + 1);
  t.deepEqual(
    [...tested.keys(), ...untested].toSorted((a, b) => a - b),
    all,
  );
});

test('docs/FAILURES.md tells of every scenario where it is tested', (t) => {
  const page = readFileSync(projectPath('docs/FAILURES.md'), 'utf8');
  const written = pageWith(page, readTree(projectPath()));
  t.true(page === written, 'run: node --import=tsx scripts/scenarios-doc.ts');
});
