/**
 * Writes docs/ERRORS.md from the catalogue of errors; with `--check` only compares.
 * `node --import=tsx scripts/errors-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { errorsPage } from './errors/page.ts';

const file = new URL('../docs/ERRORS.md', import.meta.url);
const page = errorsPage();
if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/ERRORS.md is not what the catalogue says; run this without --check');
  process.exitCode = 1;
}
