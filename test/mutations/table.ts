/** The page that tells which defects the tests notice. */
import { writeFileSync } from 'node:fs';
import type { Verdict } from './mutant.ts';
import { projectPath } from '../../scripts/project.ts';

export const pageFile = projectPath('docs/MUTATIONS.md');

const head = `# Defects that the tests notice

Made by \`npm run mutations\`: each of these was put into a copy of the sources, and the tests that are
named with it in \`test/mutations/defects.ts\` were run. The last column is the first test that failed.

| defect | in | noticed by |
| ------ | -- | ---------- |
`;

export function writeTable(verdicts: readonly Verdict[]): void {
  const rows = verdicts.map(({ defect: { title, file }, noticed = '' }) => {
    return `| ${[title, `\`${file}\``, noticed].map(cell).join(' | ')} |\n`;
  });
  writeFileSync(pageFile, head + rows.join(''));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
