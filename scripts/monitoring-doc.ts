/**
 * Writes docs/METRICS.md, docs/HEALTH.md and docs/monitoring from the tables of metrics, health codes
 * and alerts; with `--check` only compares.
 * `node --import=tsx scripts/monitoring-doc.ts [--check]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitoringFiles } from './monitoring/files.ts';

const isCheck = process.argv.includes('--check');
for (const [path, content] of Object.entries(monitoringFiles())) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!isCheck) {
    writeFileSync(file, content);
  } else if (readFileSync(file, 'utf8') !== content) {
    console.error(`${path} is not what the tables say; run this without --check`);
    process.exitCode = 1;
  }
}
