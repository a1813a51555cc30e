/**
 * `npm run check`: types, lint, format and the rules of the house, all at once. Prints one line
 * when all is well, else what was found, and exits with 1.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkMarkdownLinks } from './check/markdown-links.ts';
import { readTree } from './check/source-tree.ts';
import { checkTidiness } from './check/tidy.ts';
import { checkWalls } from './check/walls.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @returns what was found; empty when all is well */
type Part = () => Promise<string>;

const parts: Readonly<Record<string, Part>> = {
  types: () => runTool('tsc', '--noEmit'),
  'types of pages': () => runTool('tsc', '--noEmit', '--project', 'client/dashboard'),
  lint: () => runTool('oxlint', '--type-aware', '--deny-warnings'),
  format: () => runTool('oxfmt', '--check', '.'),
  house: checkHouse,
};

function runTool(name: string, ...args: readonly string[]): Promise<string> {
  const program = join(root, 'node_modules', '.bin', name);
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      resolve(error === null ? '' : output || error.message);
    });
  });
}

async function checkHouse(): Promise<string> {
  const tree = readTree(root);
  const findings = [...checkWalls(tree), ...checkTidiness(tree), ...checkMarkdownLinks(tree)];
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`).join('\n');
}

const results = await Promise.all(
  Object.entries(parts).map(async ([name, part]) => {
    const started = performance.now();
    const found = await part();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    return { name, found, summary: `${name} ${seconds} s` };
  }),
);
for (const { name, found } of results) {
  if (found !== '') console.log(`${name}:\n${found}\n`);
}
const bad = results.filter(({ found }) => found !== '');
const verdict =
  bad.length === 0 ? 'all is well' : `look at ${bad.map((one) => one.name).join(', ')}`;
console.log(`check: ${verdict} (${results.map(({ summary }) => summary).join(', ')})`);
process.exitCode = bad.length === 0 ? 0 : 1;
