/** Rules by which Prometheus alerts, made of the tables of metrics and of health codes. */
import {
  diskShares,
  type HealthCode,
  healthCatalogue,
  type HealthEntry,
} from '../../../shared/health-catalogue.ts';
import type { MetricName } from '../../../shared/metrics/table.ts';
import { jobs, yamlText } from './scrape-config.ts';

export interface AlertRule {
  readonly name: string;
  readonly expression: string;
  /** How long it must be so. */
  readonly lasting: string;
  /** What `weft health` says of it; what it does not look at is told here. */
  readonly about: HealthCode | HealthEntry;
}

/** A metric that there is, or it does not compile. */
function of(name: MetricName, selector = ''): string {
  return `${name}${selector}`;
}

const iodIs = (state: string): string => `${of('weftfs_mgr_iod_state', `{state="${state}"}`)} == 1`;
const freeShare = `${of('weftfs_mgr_iod_free_bytes')} / (${of('weftfs_mgr_iod_capacity_bytes')} > 0)`;

export const alertRules: readonly AlertRule[] = [
  {
    name: 'WeftfsMgrDown',
    expression: `up{job="${jobs.mgr}"} == 0`,
    lasting: '30s',
    about: 'WEFT_H_MGR_UNREACHABLE',
  },
  {
    name: 'WeftfsMgrRecovering',
    expression: `${of('weftfs_state', '{state="RECOVERING"}')} == 1`,
    lasting: '2m',
    about: 'WEFT_H_MGR_RECOVERING',
  },
  {
    name: 'WeftfsMgrDiskFull',
    expression: `${of('weftfs_mgr_has_room')} == 0`,
    lasting: '0s',
    about: 'WEFT_H_MGR_DISK_RESERVE',
  },
  {
    name: 'WeftfsIodDown',
    expression: iodIs('absent'),
    lasting: '30s',
    about: 'WEFT_H_IOD_ABSENT',
  },
  {
    name: 'WeftfsIodEvicted',
    expression: iodIs('evicted'),
    lasting: '0s',
    about: 'WEFT_H_IOD_EVICTED',
  },
  {
    name: 'WeftfsIodSyncing',
    expression: iodIs('syncing'),
    lasting: '2m',
    about: 'WEFT_H_IOD_SYNCING',
  },
  {
    name: 'WeftfsIodDraining',
    expression: iodIs('draining'),
    lasting: '5m',
    about: 'WEFT_H_IOD_DRAINING',
  },
  {
    name: 'WeftfsDiskNearlyFull',
    expression: `${freeShare} < ${diskShares.nearlyFull}`,
    lasting: '5m',
    about: 'WEFT_H_DISK_NEARLY_FULL',
  },
  {
    name: 'WeftfsDiskFull',
    expression: `${freeShare} < ${diskShares.full}`,
    lasting: '1m',
    about: 'WEFT_H_DISK_FULL',
  },
  {
    name: 'WeftfsQuarantine',
    expression: `${of('weftfs_mgr_iod_quarantined_objects')} > 0`,
    lasting: '0s',
    about: 'WEFT_H_QUARANTINE',
  },
  {
    name: 'WeftfsSessionsAway',
    expression: `${of('weftfs_mgr_sessions_away')} > 0`,
    lasting: '1m',
    about: 'WEFT_H_SESSION_SILENT',
  },
  {
    name: 'WeftfsRemovalsWait',
    expression: `${of('weftfs_mgr_pending_rows')} > 0`,
    lasting: '10m',
    about: 'WEFT_H_REMOVALS_WAIT',
  },
  {
    name: 'WeftfsWritesLost',
    expression: `increase(${of('weftfs_iod_losses_total')}[15m]) > 0`,
    lasting: '0s',
    about: {
      severity: 'error',
      what: 'an iod may have lost writes that were acknowledged, but not synced',
      cause: 'its disk has failed to sync them',
      effect: 'programs that sync hear of it as EIO, with the range of the file',
      advice: "look at the iod's log and its disk, then at the files: weft fsck",
    },
  },
  {
    name: 'WeftfsInputOutputErrors',
    expression: `increase(${of('weftfs_request_errors_total', '{errno="EIO"}')}[5m]) > 0`,
    lasting: '0s',
    about: {
      severity: 'error',
      what: 'requests fail with EIO',
      cause: 'a disk fails, bytes arrive damaged, or a daemon is wrong',
      effect: 'programs get an error for what should work',
      advice: "the daemon's log tells of each; then: weft fsck",
    },
  },
  {
    name: 'WeftfsCommitsFail',
    expression: `increase(${of('weftfs_mgr_commit_failures_total')}[5m]) > 0`,
    lasting: '0s',
    about: {
      severity: 'error',
      what: 'the disk of the mgr refuses commits',
      cause: 'it is full, read-only or fails',
      effect: 'changes of names are refused; nothing that was acknowledged is lost',
      advice: "the mgr's log tells why; then: weft health",
    },
  },
  {
    name: 'WeftfsSlowCommits',
    expression: `histogram_quantile(0.9, rate(${of('weftfs_mgr_commit_duration_seconds', '_bucket')}[5m])) > 0.5`,
    lasting: '10m',
    about: {
      severity: 'warning',
      what: 'a tenth of the commits of the mgr take longer than half a second',
      cause: 'its disk is slow, or shared with something that keeps it busy',
      effect: 'everything that asks the mgr waits as long',
      advice: 'give the mgr a disk of its own; weft metrics shows how long commits take',
    },
  },
  {
    name: 'WeftfsMountDown',
    expression: `up{job="${jobs.mount}"} == 0`,
    lasting: '1m',
    about: {
      severity: 'error',
      what: 'a mount does not answer',
      cause: 'its process has ended or hangs, or its host is away',
      effect: 'programs that use its directory get errors, or wait',
      advice: 'weft mount DIR on that host puts a new one in the place of one that has died',
    },
  },
  {
    name: 'WeftfsMountWaits',
    expression: `${of('weftfs_mount_oldest_operation_seconds')} > 15`,
    lasting: '0s',
    about: {
      severity: 'warning',
      what: 'a program waits in a mount for more than 15 s',
      cause: 'a daemon that the mount needs is away, hangs or is overloaded',
      effect: 'the program stands still until the daemon is back, or the deadline of the mount',
      advice: 'weft why tells what it waits for, across processes',
    },
  },
  {
    name: 'WeftfsMountErrors',
    expression: `increase(${of('weftfs_mount_operation_errors_total', '{errno=~"EIO|ETIMEDOUT"}')}[5m]) > 0`,
    lasting: '0s',
    about: {
      severity: 'error',
      what: 'programs in a mount get EIO or ETIMEDOUT',
      cause: 'a daemon did not answer in time, a disk fails, or bytes arrive damaged',
      effect: 'programs fail that should not',
      advice: 'the log of the mount tells of mistakes (weft mount --log); then: weft health',
    },
  },
];

/** Lines of a file for `rule_files` of prometheus.yml. */
export function alertsFile(): string[] {
  return [
    'groups:',
    '  - name: weftfs',
    '    rules:',
    ...alertRules.flatMap(({ name, expression, lasting, about }) => {
      const isCode = typeof about === 'string';
      const { severity, what, cause, effect, advice } = isCode ? healthCatalogue[about] : about;
      return [
        `      - alert: ${name}`,
        `        expr: ${yamlText(expression)}`,
        `        for: ${lasting}`,
        '        labels:',
        `          severity: ${severity === 'error' ? 'critical' : 'warning'}`,
        '        annotations:',
        `          summary: ${yamlText(`{{ or $labels.iod $labels.instance }}: ${what}`)}`,
        `          description: ${yamlText(`Cause: ${cause}. Effect: ${effect}. Try: ${advice}.`)}`,
        ...(isCode ? [`          code: ${about}`] : []),
      ];
    }),
  ];
}
