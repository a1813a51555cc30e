/**
 * Writes docs/PROTOCOL.md from the message definitions; with `--check` only compares.
 * `node --import=tsx scripts/protocol-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { protocolPage } from './protocol/page.ts';

const file = new URL('../docs/PROTOCOL.md', import.meta.url);

if (!process.argv.includes('--check')) {
  writeFileSync(file, protocolPage());
} else if (readFileSync(file, 'utf8') !== protocolPage()) {
  console.error(
    'docs/PROTOCOL.md is not what the message definitions say; run this without --check',
  );
  process.exitCode = 1;
}
