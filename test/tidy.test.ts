import { readFileSync } from 'node:fs';
import test from 'ava';
import { protocolPage } from '../scripts/protocol/page.ts';
import { messages } from './shared/wire/arbitrary.ts';
import { projectPath } from '../scripts/project.ts';

const page = readFileSync(projectPath('docs/PROTOCOL.md'), 'utf8');

test('docs/PROTOCOL.md is what scripts/protocol-doc.ts makes of the definitions', (t) => {
  t.true(page === protocolPage(), 'run: node --import=tsx scripts/protocol-doc.ts');
});

test('every message has one section in docs/PROTOCOL.md, and a link to it', (t) => {
  for (const [name, { code, about }] of messages) {
    const heading = `\n### ${code} ${name}\n`;
    t.is(page.split(heading).length, 2, name);
    t.true(page.split(heading)[1]?.split('\n### ')[0]?.includes(about), name);
    t.true(page.includes(`[${name}](#${code}-${name.toLowerCase()})`), name);
  }
});
