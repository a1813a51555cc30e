import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { alertRules, alertsFile } from '../../../../client/cli/monitoring/alerts.ts';
import { dashboardFile } from '../../../../client/cli/monitoring/dashboard.ts';
import { scrapeConfig } from '../../../../client/cli/monitoring/scrape-config.ts';
import { metricTable } from '../../../../shared/metrics/table.ts';
import { promtool, promtoolTest } from '../../../promtool.ts';

interface Board {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const board = JSON.parse(dashboardFile()) as Board;
const mgr = { host: '::1', port: 7300 };
const members = [
  { name: 'iod0', host: 'lab1', port: 7301 },
  { name: 'odd "name"', host: 'fe80::1', port: 7302 },
  { name: 'new', host: 'lab3', port: 0 },
];

/** Files in a directory that goes with the test. */
async function written(
  t: ExecutionContext,
  files: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weft-monitoring-'));
  t.teardown(() => rm(directory, { recursive: true }));
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(join(directory, name), `${lines.join('\n')}\n`);
  }
  return directory;
}

test('the board has a panel for every metric, and each panel a number of its own', (t) => {
  const titles = new Set(board.panels.map(({ title }) => title));
  for (const name of Object.keys(metricTable)) t.true(titles.has(name), name);
  t.is(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
});

test('an iod that has never started is no target yet', (t) => {
  t.false(scrapeConfig(mgr, members, []).join('\n').includes('lab3'));
  t.true(scrapeConfig(mgr, [], []).includes('    static_configs: []'));
});

test('mounts are targets when they are named, in a job of their own', (t) => {
  const config = scrapeConfig(mgr, [], [{ host: '::1', port: 9464 }, mgr]).join('\n');
  t.regex(config, /- job_name: weftfs-mount\n.*\n.*\["\[::1\]:9464", "\[::1\]:7300"\]$/);
  t.false(scrapeConfig(mgr, members, []).join('\n').includes('job_name: weftfs-mount'));
});

test('alerts have names of their own', (t) => {
  const names = alertRules.map(({ name }) => name);
  t.deepEqual(names, [...new Set(names)]);
});

promtoolTest(
  'Prometheus takes the scrape configuration, with and without iods and mounts',
  async (t) => {
    for (const iods of [members, []]) {
      const mounts = iods.length === 0 ? [] : [mgr];
      const directory = await written(t, { 'prometheus.yml': scrapeConfig(mgr, iods, mounts) });
      const { code, words } = await promtool([
        'check',
        'config',
        join(directory, 'prometheus.yml'),
      ]);
      t.is(code, 0, words);
    }
  },
);

promtoolTest('Prometheus takes the alerts', async (t) => {
  const directory = await written(t, { 'alerts.yml': alertsFile() });
  const { code, words } = await promtool(['check', 'rules', join(directory, 'alerts.yml')]);
  t.is(code, 0, words);
  t.true(words.includes(`${alertRules.length} rules found`), words);
});

promtoolTest('Prometheus understands every query of the board', async (t) => {
  const queries = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  t.true(queries.length >= Object.keys(metricTable).length);
  const rules = queries.flatMap((query, at) => [
    `      - record: query:${at}`,
    `        expr: ${JSON.stringify(query.replaceAll('$__rate_interval', '5m'))}`,
  ]);
  const lines = ['groups:', '  - name: board', '    rules:', ...rules];
  const directory = await written(t, { 'board.yml': lines });
  const { code, words } = await promtool(['check', 'rules', join(directory, 'board.yml')]);
  t.is(code, 0, words);
});

/** A sample each 15 s: `0x20 1x20` is 0 up to the fifth minute, and 1 from then on. */
const histories = `
rule_files: [alerts.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: weftfs_mgr_iod_state{iod="iod0",state="absent",instance="m:7300"}
        values: 0x20 1x20
      - series: weftfs_mgr_iod_state{iod="iod1",state="absent",instance="m:7300"}
        values: 0x40
      - series: weftfs_mgr_iod_capacity_bytes{iod="iod1",instance="m:7300"}
        values: 1000x60
      - series: weftfs_mgr_iod_free_bytes{iod="iod1",instance="m:7300"}
        values: 60x20 49x40
      - series: weftfs_mgr_iod_capacity_bytes{iod="iod2",instance="m:7300"}
        values: 0x60
      - series: weftfs_mgr_iod_free_bytes{iod="iod2",instance="m:7300"}
        values: 0x60
      - series: weftfs_iod_losses_total{instance="i:7301"}
        values: 0x20 1x40
      - series: up{job="weftfs-mgr",instance="m:7300"}
        values: 1x10 0x1 1x50
      - series: weftfs_mount_oldest_operation_seconds{job="weftfs-mount",instance="h:9464"}
        values: 0x20 20x40
    alert_rule_test:
      - { eval_time: 5m30s, alertname: WeftfsIodDown, exp_alerts: [] }
      - { eval_time: 3m, alertname: WeftfsMgrDown, exp_alerts: [] }
      - eval_time: 6m
        alertname: WeftfsIodDown
        exp_alerts:
          - exp_labels: { severity: critical, iod: iod0, state: absent, instance: 'm:7300' }
            exp_annotations: @IOD_DOWN@
      - { eval_time: 9m, alertname: WeftfsDiskNearlyFull, exp_alerts: [] }
      - eval_time: 12m
        alertname: WeftfsDiskNearlyFull
        exp_alerts:
          - exp_labels: { severity: warning, iod: iod1, instance: 'm:7300' }
            exp_annotations: @NEARLY_FULL@
      - { eval_time: 12m, alertname: WeftfsDiskFull, exp_alerts: [] }
      - { eval_time: 4m, alertname: WeftfsMountWaits, exp_alerts: [] }
      - eval_time: 6m
        alertname: WeftfsMountWaits
        exp_alerts:
          - exp_labels: { severity: warning, job: weftfs-mount, instance: 'h:9464' }
            exp_annotations: @WAITS@
      - { eval_time: 4m, alertname: WeftfsWritesLost, exp_alerts: [] }
      - eval_time: 7m
        alertname: WeftfsWritesLost
        exp_alerts:
          - exp_labels: { severity: critical, instance: 'i:7301' }
            exp_annotations: @LOST@
`;

/** Annotations of a rule as the file has them, for this one. */
function annotations(name: string, subject: string): string {
  const lines = alertsFile();
  const begin = lines.indexOf(`      - alert: ${name}`);
  const end = lines.findIndex((line, at) => at > begin && line.startsWith('      - alert:'));
  const own = lines.slice(begin, end < 0 ? undefined : end);
  const fields = own.slice(own.indexOf('        annotations:') + 1).map((line) => line.trim());
  return `{ ${fields.join(', ').replace('{{ or $labels.iod $labels.instance }}', subject)} }`;
}

promtoolTest('an alert begins when it has lasted, and says whom it is about', async (t) => {
  const text = histories
    .replace('@IOD_DOWN@', annotations('WeftfsIodDown', 'iod0'))
    .replace('@NEARLY_FULL@', annotations('WeftfsDiskNearlyFull', 'iod1'))
    .replace('@WAITS@', annotations('WeftfsMountWaits', 'h:9464'))
    .replace('@LOST@', annotations('WeftfsWritesLost', 'i:7301'));
  const directory = await written(t, { 'alerts.yml': alertsFile(), 'test.yml': text.split('\n') });
  const { code, words } = await promtool(['test', 'rules', join(directory, 'test.yml')]);
  t.is(code, 0, words);
});
