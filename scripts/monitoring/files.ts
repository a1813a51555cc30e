/** The files that scripts/monitoring-doc.ts makes. */
import { alertsFile } from '../../client/cli/monitoring/alerts.ts';
import { dashboardFile } from '../../client/cli/monitoring/dashboard.ts';
import { healthPage } from './health-page.ts';
import { metricsPage } from './metrics-page.ts';

/** @returns content by path from the root */
export function monitoringFiles(): Readonly<Record<string, string>> {
  return {
    'docs/METRICS.md': metricsPage(),
    'docs/HEALTH.md': healthPage(),
    'docs/monitoring/alerts.yml': `${alertsFile().join('\n')}\n`,
    'docs/monitoring/grafana.json': dashboardFile(),
  };
}
