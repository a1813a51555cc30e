import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { sourceLoader } from './loader.ts';

const results = fileURLToPath(new URL('../results/', import.meta.url));
const keptResults = fileURLToPath(
  new URL('../../node_modules/.cache/weftfs-sources/test/results/', import.meta.url),
);

/** Where a program of ours is, and where its JavaScript is kept. */
async function place(t: ExecutionContext) {
  await mkdir(results, { recursive: true });
  const directory = await mkdtemp(join(results, 'sources-'));
  const kept = join(keptResults, basename(directory));
  t.teardown(async () => {
    await rm(directory, { recursive: true });
    await rm(kept, { recursive: true, force: true });
  });
  return { source: join(directory, 'program.ts'), kept: join(kept, 'program.ts.js') };
}

async function said(program: string): Promise<string> {
  const words = ['--enable-source-maps', sourceLoader, program];
  return (await promisify(execFile)(process.execPath, words)).stdout;
}

test('what a program throws names the line of its source', async (t) => {
  const { source } = await place(t);
  const lines = ['interface None {', '  none: 1;', '}', 'console.log(new Error().stack);'];
  await writeFile(source, lines.join('\n'));
  t.regex(await said(source), /program\.ts:4:/);
});

test('a source that has changed is made anew, and so is what was not kept whole', async (t) => {
  const { source, kept } = await place(t);
  for (const word of ['one', 'two']) {
    await writeFile(source, `const word: string = '${word}';\nconsole.log(word);\n`);
    t.is(await said(source), `${word}\n`);
    t.true(existsSync(kept));
  }
  const whole = await readFile(kept, 'utf8');
  await writeFile(kept, whole.slice(0, 10));
  t.is(await said(source), 'two\n');
  t.is(await readFile(kept, 'utf8'), whole);
});

test('what was kept is taken', async (t) => {
  const { source, kept } = await place(t);
  await writeFile(source, `console.log('made');\n`);
  await said(source);
  const made = await readFile(kept, 'utf8');
  await writeFile(kept, made.replace('made', 'kept'));
  t.is(await said(source), 'kept\n');
});
