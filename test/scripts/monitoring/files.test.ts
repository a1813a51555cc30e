import { readFileSync } from 'node:fs';
import test from 'ava';
import { monitoringFiles } from '../../../scripts/monitoring/files.ts';
import { healthCatalogue } from '../../../shared/health-catalogue.ts';
import { metricTable } from '../../../shared/metrics/table.ts';
import { projectPath } from '../../../scripts/project.ts';

const files = monitoringFiles();

for (const [path, content] of Object.entries(files)) {
  test(`${path} is what scripts/monitoring-doc.ts makes of the tables`, (t) => {
    const stored = readFileSync(projectPath(path), 'utf8');
    t.true(stored === content, 'run: node --import=tsx scripts/monitoring-doc.ts');
  });
}

test('each metric is documented once, each health code has a section', (t) => {
  for (const name of Object.keys(metricTable)) {
    t.is(files['docs/METRICS.md']?.split(`| \`${name}\` |`).length, 2, name);
  }
  for (const code of Object.keys(healthCatalogue)) {
    t.is(files['docs/HEALTH.md']?.split(`\n## ${code}\n`).length, 2, code);
  }
});
