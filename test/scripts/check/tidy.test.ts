import test from 'ava';
import { checkTidiness } from '../../../scripts/check/tidy.ts';

function findings(files: Readonly<Record<string, string>>): string[] {
  const found = checkTidiness(new Map(Object.entries(files)));
  return found.map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

/** In two parts, or this file itself would be found. */
const chanceCall = ['Math', 'random'].join('.');

test('a tidy tree gives no finding', (t) => {
  t.deepEqual(
    findings({
      iodtab: 'mgr 127.0.0.1:7300\n',
      'README.md': '# weftfs\n',
      'ava.config.js': '',
      'client/index.ts': "export { open } from './file-system.ts';\n",
      'client/file-system.ts': "const worker = new URL('./copy-worker.ts', import.meta.url);\n",
      'client/copy-worker.ts': '',
      'mgr/main.ts': "import { limits } from '../shared/limits.ts';\n",
      'shared/limits.ts': '',
      'shared/runtime/node/chance.ts': `export const chance = ${chanceCall};\n`,
      'scripts/start.ts': "import '../shared/runtime/node/chance.ts';\n",
      'bench/read-path.ts': '',
      'examples/first-steps.ts': '',
      'test/sim/clock.ts': '',
      'test/shared/limits.test.ts': '',
    }),
    [],
  );
});

test('a name that is no kebab-case or tells nothing is found, of folders too', (t) => {
  t.deepEqual(
    findings({
      'test/readFile.ts': '',
      'test/Sim/clock.test.ts': '',
      'test/helpers/clock.ts': '',
      'test/utils.ts': '',
      'test/types.test.ts': '',
    }),
    [
      "test/readFile.ts:1: 'readFile' is no kebab-case",
      "test/Sim/clock.test.ts:1: 'Sim' is no kebab-case",
      "test/helpers/clock.ts:1: 'helpers' does not tell what is inside",
      "test/utils.ts:1: 'utils' does not tell what is inside",
      "test/types.test.ts:1: 'types' does not tell what is inside",
    ],
  );
});

test('a file that only itself or a test imports is dead', (t) => {
  t.deepEqual(
    findings({
      'shared/lonely.ts': "export { a } from './lonely.ts';\n",
      'shared/tested.ts': '',
      'scripts/check/lost.ts': '',
      'test/shared/tested.test.ts': "import { b } from '../../shared/tested.ts';\n",
    }),
    ['shared/lonely.ts', 'shared/tested.ts', 'scripts/check/lost.ts'].map(
      (path) => `${path}:1: dead: nothing but tests imports this file`,
    ),
  );
});

test('a path of one machine is found wherever it is written', (t) => {
  for (const top of ['home', 'work', 'root', 'Users']) {
    const path = ['', top, 'me', 'key'].join('/');
    for (const text of [path, `'${path}'`, `ws://n1?key=${path}`, `(${path})`]) {
      t.deepEqual(findings({ 'README.md': `# Title\n\n${text}\n` }), [
        'README.md:3: a path of one machine; use one relative to the file, or a temporary directory',
      ]);
    }
    t.deepEqual(findings({ 'README.md': `docs${path} ~${path} https://example.org${path}` }), []);
  }
});

test('chance is found outside the runtime', (t) => {
  const chance = `export const roll = () => ${chanceCall}();\n`;
  const message = `${chanceCall} outside shared/runtime; take Runtime.random`;
  t.deepEqual(findings({ 'mgr/main.ts': chance, 'test/sim/dice.ts': `\n${chance}` }), [
    `mgr/main.ts:1: ${message}`,
    `test/sim/dice.ts:2: ${message}`,
  ]);
});
