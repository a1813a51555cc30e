/** The text of docs/METRICS.md. */
import { alertRules } from '../../client/cli/monitoring/alerts.ts';
import { healthCatalogue } from '../../shared/health-catalogue.ts';
import { metricGroups, type MetricSpec } from '../../shared/metrics/metric-spec.ts';
import { type MetricName, metricTable } from '../../shared/metrics/table.ts';
import { table } from '../protocol/shapes.ts';

const head = `# Metrics

Made from \`shared/metrics/table.ts\` and \`client/cli/monitoring/\` by \`scripts/monitoring-doc.ts\`: change
those, not this page.

The mgr, and every iod that serves, answer \`GET /metrics\` on the port that they have anyway, in the text
format of Prometheus. A mount answers on a port of its own when it is given one (\`weft mount --metrics\`), a
program with the library in its own way ([below](#a-program-with-the-library)).

\`\`\`sh
weft metrics                        # of the mgr, now
weft metrics iod0                   # of an iod
weft mount /mnt --metrics 9464      # a mount that has some, for this host alone; or HOST:9464
weft metrics :9464                  # of that mount
weft metrics --print-scrape-config  # for prometheus.yml; --mount HOST:9464 for each mount
weft metrics --print-alerts         # for rule_files
weft metrics --print-dashboard      # for Grafana: Dashboards, New, Import
\`\`\`

[monitoring/alerts.yml](monitoring/alerts.yml) and [monitoring/grafana.json](monitoring/grafana.json) are
what the last two print. An iod opens its port when it serves: before that its target is down, and the mgr
tells of it (\`weftfs_mgr_iod_state\`).

## Who may read them

Whoever reaches the port, without a key, as with \`/health\`: Prometheus could not prove the cluster's key.
So they tell nothing that is worth one: figures, states, the names of the daemons and of operations; no name or path of a
file, no key, no user, no address of a client. A cluster without a key listens on loopback only; there
plain HTTP is answered for the host's own names alone (\`localhost\`, 127.0.0.1), so that no web page whose
name was made to lead there reads them. Prometheus on another host needs a cluster with a key that listens
beyond loopback; who else reaches that port is for the firewall to say. The format is not encrypted, as
nothing of weftfs is.

## What they cost

Hot paths add to plain numbers; the library that writes the text is loaded at the first scrape, and a
daemon that nobody scrapes never loads it. \`node --import=tsx bench/metrics.ts\` measures calls with and
without counting, in turns.`;

const tail = `## The process

Beside these stand the metrics that prom-client has of every Node process: \`process_cpu_seconds_total\`
(since the first scrape), \`process_resident_memory_bytes\`, \`process_open_fds\`,
\`process_start_time_seconds\`, \`nodejs_eventloop_lag_*_seconds\` (since the scrape before),
\`nodejs_gc_duration_seconds\`, \`nodejs_heap_*\` and \`nodejs_version_info\`.

## A program with the library

\`\`\`ts
// createServer is of node:http, connect and countCalls are of weftfs
const fs = await connect();
const metrics = countCalls(fs); // from now on; without it nothing is counted
createServer(async (_, response) => {
  const { contentType, body } = await metrics();
  response.setHeader('content-type', contentType).end(body);
}).listen(9464, '127.0.0.1');
\`\`\``;

/** @returns the whole page */
export function metricsPage(): string {
  const all = Object.entries(metricTable) as [MetricName, MetricSpec][];
  const groups = metricGroups.map((title) => {
    const rows = all.filter(([, { group }]) => group === title).map(row);
    return `## ${title}\n\n${table(['metric', 'type', 'labels', 'of', 'what it tells'], rows)}`;
  });
  return `${[head, ...groups, tail, alertsText()].join('\n\n')}\n`;
}

function row([name, { type, labels, roles, help }]: readonly [MetricName, MetricSpec]): string[] {
  return [`\`${name}\``, type, labels.join(', '), roles.join(', '), help];
}

function alertsText(): string {
  const rows = alertRules.map(({ name, expression, lasting, about }) => {
    const { severity, what } = typeof about === 'string' ? healthCatalogue[about] : about;
    const code = typeof about === 'string' ? `[${about}](HEALTH.md#${about.toLowerCase()})` : '';
    return [name, severity, `\`${expression}\``, lasting, code === '' ? what : `${what}: ${code}`];
  });
  const columns = ['alert', 'severity', 'when', 'for', 'what it means'];
  return `## Alerts\n\n${table(columns, rows)}`;
}
