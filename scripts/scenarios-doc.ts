/**
 * Writes the table of scenarios in docs/FAILURES.md from the titles of the tests; with `--check`
 * only compares. `node --import=tsx scripts/scenarios-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readTree } from './check/source-tree.ts';
import { pageWith } from './scenarios/table.ts';

const file = new URL('../docs/FAILURES.md', import.meta.url);
const stored = readFileSync(file, 'utf8');
const page = pageWith(stored, readTree(fileURLToPath(new URL('..', import.meta.url))));

if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (stored !== page) {
  console.error('docs/FAILURES.md does not say what the tests stand for; run this without --check');
  process.exitCode = 1;
}
