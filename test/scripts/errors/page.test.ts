import test from 'ava';
import { readTree } from '../../../scripts/check/source-tree.ts';
import { madeBy } from '../../../scripts/errors/made-by.ts';
import { errorsPage } from '../../../scripts/errors/page.ts';
import { errorCatalogue, type ErrorId } from '../../../shared/error-catalogue.ts';
import { projectPath } from '../../../scripts/project.ts';

const tree = readTree(projectPath());
const ids = Object.keys(errorCatalogue) as ErrorId[];

/** Files that raise errors: not those that merely list them. */
const sources = [...tree].filter(
  ([path]) =>
    /^(mgr|iod|client|shared)\//.test(path) &&
    path !== 'shared/error-catalogue.ts' &&
    path !== 'shared/rpc/link.ts',
);

test('docs/ERRORS.md is what scripts/errors-doc.ts makes of the catalogue', (t) => {
  const stored = tree.get('docs/ERRORS.md');
  t.true(stored === errorsPage(), 'run: node --import=tsx scripts/errors-doc.ts');
  for (const id of ids) t.is(stored?.split(`\n## ${id}\n`).length, 2, id);
});

for (const id of ids) {
  test(`${id} is raised somewhere, and its test expects it`, (t) => {
    t.true(
      sources.some(([, content]) => content.includes(`'${id}'`)),
      'nothing raises it',
    );
    const path = `test/${madeBy[id]}.test.ts`;
    const parts = tree.get(path)?.split(id) ?? [];
    // What a test merely throws itself, it does not expect.
    const isExpected = parts
      .slice(0, -1)
      .some((before) => !/FsError\('\w+', \{\s*id: '$/.test(before));
    t.true(isExpected, `${path} does not expect it`);
  });
}
