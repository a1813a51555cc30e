/**
 * Writes what docs/PERFORMANCE.md tells of the reports in docs/performance, and its charts; with
 * `--check` only compares. `node --import=tsx bench/peers/doc/main.ts [--check]`
 */
import { readFileSync } from 'node:fs';
import { performanceFiles, publish } from '../performance-files.ts';

if (!process.argv.includes('--check')) {
  publish();
} else {
  for (const [path, content] of Object.entries(performanceFiles())) {
    const stored = readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
    if (stored === content) continue;
    console.error(`docs/${path} is not what the reports say; run this without --check`);
    process.exitCode = 1;
  }
}
