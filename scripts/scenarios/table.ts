/**
 * The table of `docs/FAILURES.md` that tells which scenario is tested where. A test names those that
 * it stands for in its title, or in a comment: `SCENARIOS` and their numbers.
 */
import type { SourceTree } from '../check/source-tree.ts';
import { withoutTest } from './without-test.ts';

const begin = '<!-- scenarios: begin -->';
const end = '<!-- scenarios: end -->';
const named = /SCENARIOS (\d[\d, -]*)/gu;

/** Of each scenario the files whose tests name it, by path. */
export function scenariosIn(tree: SourceTree): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, Set<string>>();
  for (const [path, content] of [...tree].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path.startsWith('test/') || !path.endsWith('.test.ts')) continue;
    for (const number of numbersIn(content)) {
      const files = found.get(number) ?? new Set();
      found.set(number, files.add(path));
    }
  }
  return new Map(
    [...found].toSorted(([a], [b]) => a - b).map(([number, files]) => [number, [...files]]),
  );
}

/** Numbers and ranges of numbers behind the word, wherever it is. */
export function numbersIn(text: string): number[] {
  const lists = [...text.matchAll(named)].map(([, list = '']) => list);
  const parts = lists.flatMap((list) => list.split(',')).filter((one) => one.trim() !== '');
  return parts.flatMap((one) => {
    const [first = 0, last = first] = one.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The page with the table in its place. @throws Error when it has no place */
export function pageWith(page: string, tree: SourceTree): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`no '${begin}' … '${end}'`);
  const tested = runsOf(scenariosIn(tree)).map(({ first, last, files }) => [
    shownRun(first, last),
    files.map(linked).join(', '),
  ]);
  const untested = withoutTest.map(({ why, scenarios }) => [shown(scenarios), why]);
  const tables = [
    aligned(['scenarios', 'tests'], tested),
    'For these stands no test:',
    aligned(['scenarios', 'why'], untested),
  ];
  return `${before}${[begin, ...tables, end].join('\n\n')}${after}`;
}

/** @returns the numbers with runs of them together, such as `93, 203-213` */
export function shown(scenarios: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const number of scenarios) {
    const run = runs.at(-1);
    if (run?.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs.map(({ first, last }) => shownRun(first, last)).join(', ');
}

function shownRun(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** As the formatter would write it. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...rows].map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | '),
  );
  return lines.map((line) => `| ${line} |`).join('\n');
}

interface Run {
  readonly first: number;
  last: number;
  readonly files: readonly string[];
}

/** Neighbours with the same tests are one row. */
function runsOf(scenarios: ReadonlyMap<number, readonly string[]>): Run[] {
  const runs: Run[] = [];
  for (const [number, files] of scenarios) {
    const run = runs.at(-1);
    if (run?.last === number - 1 && run.files.join() === files.join()) run.last = number;
    else runs.push({ first: number, last: number, files });
  }
  return runs;
}

function linked(path: string): string {
  const name = path.replace(/^test\//u, '').replace(/\.test\.ts$/u, '');
  return `[${name}](../${path})`;
}
