/** The commands for whoever runs a cluster. Data for help and completion. */
import type { CommandSpec, OptionSpec } from './command.ts';
import { traceCommand } from './trace/trace-command.ts';

const dataOption: OptionSpec = {
  flags: '--data <dir>',
  summary: 'where everything is kept (default: weft-data)',
};

export const human: OptionSpec = { flags: '-h, --human', summary: 'sizes as 1.5K, 23M, 2.0G' };

export const clusterCommands: readonly CommandSpec[] = [
  {
    name: 'up',
    operands: '',
    summary: 'start a mgr and iods on this host',
    options: [
      { flags: '--iods <n>', summary: 'how many iods (default: 4, or as before)' },
      dataOption,
      { flags: '--port <p>', summary: 'of the mgr, iods follow; 0: any that are free' },
      { flags: '--iodtab <file>', summary: 'start the daemons of this table instead' },
      {
        flags: '--allow-origin <origin>',
        summary: 'pages of this origin may connect; kept for later starts',
        many: true,
      },
      {
        flags: '--small-file-bytes <n>',
        summary: 'files up to here live in the mgr (default: 16K, or as before; 0: none)',
      },
      {
        flags: '--direct-reads <which>',
        summary:
          'on or off: clients of this host read the files of iods (default: on, or as before)',
      },
      { flags: '--detach', summary: 'return when all are ready; weft down stops them' },
    ],
    json: '{url, dataDir, alreadyUp, daemons: [{role, name, url, pid, dataDir, log, command}]}, when all are ready',
    notes: [
      'Started again on the same directory it brings back what does not run, on the same ports.',
      'Without --detach it stays: Ctrl-C stops all daemons, a second one at once.',
    ],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'down',
    operands: '',
    summary: 'stop what weft up started',
    options: [dataOption],
    json: '{dataDir, stopped: [{name, pid, killed}]}',
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'chaos',
    operands: '<kill|stop|go|cut|slow> <daemon...>',
    summary: 'kill, freeze or slow daemons of this host, or cut links: a drill',
    options: [
      dataOption,
      { flags: '--for <seconds>', summary: 'what is stopped, cut or slow is well after so long' },
      { flags: '--by <ms>', summary: 'how late it is, iod or link; 200 by default' },
    ],
    json: '{dataDir, struck: [{name, pid, fault}]}; of cut and slow {dataDir, fault, iod, seconds, delayMs}',
    notes: [
      'weft up brings back what was killed; weft recovery list tells how it went.',
      'cut mgr iod1 and slow mgr iod1 are of the link between them; slow iod1 delays what it answers its clients.',
      'Both end by themselves: --for 10.',
    ],
    load: () => import('./commands/chaos.ts'),
  },
  {
    name: 'init',
    operands: '',
    summary: 'make the key of a new cluster, or the token of a user',
    options: [dataOption],
    json: '{keyFile, user}',
    notes: ['With --user it makes a token: who holds it acts as that user and nobody else.'],
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'status',
    operands: '',
    summary: 'state of the mgr and of every iod, and what is being recovered',
    options: [dataOption],
    json: '{url, healthy, mgr: {state, recovery, …}, iods: [{name, state, host, port, …}]}',
    notes: [
      'Answers at once in every phase. Without the mgr it tells of what weft up has started in',
      '--data on this host: which processes run, and how long their iods will serve without it.',
    ],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'health',
    operands: '',
    summary: 'whether all is well; if not, what is wrong and what helps',
    options: [dataOption],
    json: '{url, verdict: healthy | warnings | errors, findings: [{code, severity, subject, detail, what, cause, effect, advice}]}',
    notes: [
      'Exit code 0: healthy, 1: warnings, 2: errors. Answers within 2 s, also without the mgr.',
      'weft explain lists all codes; docs/HEALTH.md tells more of them.',
    ],
    load: () => import('./commands/health.ts'),
  },
  {
    name: 'metrics',
    operands: '[daemon]',
    summary: 'metrics of the mgr, an iod or a mount, as Prometheus reads them',
    options: [
      { flags: '--print-scrape-config', summary: 'what Prometheus must know to read them all' },
      {
        flags: '--mount <address>',
        summary: 'HOST:PORT of a mount that it shall read too',
        many: true,
      },
      { flags: '--print-alerts', summary: 'rules by which Prometheus alerts' },
      { flags: '--print-dashboard', summary: 'a board for Grafana' },
    ],
    json: '{lines: [text]}',
    notes: [
      'Of a mount with metrics (weft mount --metrics) HOST:PORT is the name: weft metrics :9464.',
      'docs/METRICS.md tells what each of them means, and who may read them.',
    ],
    load: () => import('./commands/metrics.ts'),
  },
  {
    name: 'doctor',
    operands: '',
    summary: 'whether this host is fit for weftfs, and the cluster works from here',
    options: [
      dataOption,
      {
        flags: '--bundle <file>',
        summary: 'write what was found, logs and settings to a .tgz, without keys',
      },
    ],
    json: '{verdict: ok | warning | error, checks: [{name, verdict, detail, advice}], bundle, bundled}',
    notes: [
      'Exit code 0: all is well, 1: warnings, 2: errors. Of a cluster it looks at every pair of',
      'daemons, their versions, clocks and health. A bundle may hold names of files, never keys.',
    ],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'sessions',
    operands: '',
    observes: true,
    summary: 'which clients are connected, or away for a while',
    options: [],
    json: '{own, sessions: [{session, name, uid, gid, host, leftMs, opens}]}',
    notes: [
      'A client that is away has its session, and its open files, until the time shown is over.',
    ],
    load: () => import('./commands/sessions.ts'),
  },
  {
    name: 'opens',
    operands: '[file]',
    observes: true,
    summary: 'which files are open; who has one open, from where, since when',
    options: [],
    json: '{files: [{handle, path, holders, writers, since}]}; of a file: {path, handle, holders: [{session, name, host, readers, writers, since, …}]}',
    notes: [
      'Since: when the first of the opens that are held was made, also before a restart of the mgr.',
      'A file that was removed while it is open has no path any more.',
    ],
    load: () => import('./commands/opens.ts'),
  },
  {
    name: 'events',
    operands: '',
    observes: true,
    summary: 'what has happened: daemons, sessions, recoveries, health',
    options: [
      dataOption,
      { flags: '--since <time>', summary: 'only since then: 90s, 10m, 2h, 3d, or a date' },
      { flags: '-f, --follow', summary: 'go on with what happens; the last 10 before it' },
    ],
    json: 'one line an event: {number, at, epoch, kind: mgr | iod | session | recovery | health, subject, what, detail}',
    notes: [
      'The mgr keeps the latest 2048 of sessions and 2048 others, also when it starts anew. While it does',
      'not answer, those of a cluster in --data on this host are read from the disk, and the exit code is 1.',
      'Needs the key of the cluster.',
    ],
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'why',
    operands: '[request|file]',
    observes: true,
    summary: 'what a call waits for, and what that waits for, across processes',
    options: [dataOption],
    json: '{request, file, chains: [[{depth, process, text, request, op, handles, forMs, leftMs, …}]], untold: [{process, why}]}',
    notes: [
      'A request is named as in traces: a4f18cba:2. Without one, and without a file: all that waits,',
      'the longest first. Answers within 2 s; a process that does not answer is told as one.',
      'Needs the key of the cluster.',
    ],
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'top',
    operands: '',
    observes: true,
    summary: 'what every daemon does now, and for which clients and files',
    options: [
      { flags: '--interval <seconds>', summary: 'between two looks (default: 2, the first 0.5)' },
      { flags: '--count <n>', summary: 'end after so many' },
    ],
    json: '{seconds, daemons: [{name, load: {state, requestsPerSecond, meanMs, …}, failure}], clients: [{session, name, host, requestsPerSecond, readBytesPerSecond, writtenBytesPerSecond}], files: [{handle, path, …}]}, one object each time',
    notes: [
      'Ctrl-C ends it. The figures are those of weft metrics, as they have grown meanwhile.',
      'The busiest ten clients and files need the key of the cluster; the calls of a client are those',
      'to all daemons, those of a file to its iods.',
    ],
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'web',
    operands: '',
    summary: 'a link to the dashboard, valid once',
    options: [{ flags: '--write', summary: 'files may be changed there, as you may change them' }],
    json: '{link, write, seconds}',
    notes: [
      'Needs the key of the cluster. Whoever follows the link first sees what you may read, until',
      'the page is closed or loaded anew. docs/DASHBOARD.md tells more.',
    ],
    load: () => import('./commands/web.ts'),
  },
  {
    name: 'recovery',
    operands: '<action> [report]',
    observes: true,
    summary: 'list the recoveries of all daemons, show one, or follow what runs',
    options: [dataOption],
    json: '{reports: [{id, daemon, cause, outcome, startedAt, tookMs, phases, restored, dropped, uncertain, …}], missing}; show: {report, missing}',
    notes: [
      'weft recovery list: the latest first; + came back, - was dropped, ? nobody can know.',
      'weft recovery show iod2-17: all of one; without a number the latest.',
      'weft recovery follow: those that run, with a bar, until all daemons serve.',
      'Needs the key of the cluster. While the mgr does not answer, those of a cluster in --data on this',
      'host are read from the disk, and the exit code is 1.',
    ],
    load: () => import('./commands/recovery.ts'),
  },
  {
    name: 'iod',
    operands: '<evict|admit> <iod>',
    summary: 'evict or admit an iod; with options alone, run one (weft iod --help)',
    options: [],
    json: '{action, iod, state}',
    notes: [
      'Needs the key of the cluster. Who evicts an iod gives up its disk: it serves nobody, and calls',
      'that need its bytes fail. Admitted again, it may come with any disk, and with the same as well.',
    ],
    load: () => import('./commands/iod.ts'),
  },
  traceCommand,
  {
    name: 'ping',
    operands: '',
    summary: 'reach every daemon from here and from the mgr, in named phases',
    options: [],
    json: '{ok, links: [{from, to, phases: [{name, microseconds}], failed, failure, clock: {aheadMs, doubtMs}}]}',
    load: () => import('./commands/ping.ts'),
  },
  {
    name: 'df',
    operands: '',
    summary: 'space of the file system and of every iod',
    options: [human],
    json: '{totalBytes, freeBytes, usedBytes, files, partial, iods: [{name, totalBytes, freeBytes}]}',
    load: () => import('./commands/df.ts'),
  },
  {
    name: 'fsck',
    operands: '',
    summary: 'compare what the mgr knows with what the iods have',
    options: [
      { flags: '--repair', summary: 'set aside what no file has, from where it can be put back' },
      { flags: '--restore <iod:id>', summary: 'put a quarantined object back', many: true },
      { flags: '--discard <iod:id>', summary: 'delete a quarantined object', many: true },
    ],
    json: '{ok, files, objects, setAside, findings: [{kind, iod, handle, path, what}], findingsTotal, resolved}',
    notes: [
      'Needs the key of the cluster. Changes nothing without --repair, --restore or --discard.',
      'Exit code 1 when something is wrong.',
    ],
    load: () => import('./commands/fsck.ts'),
  },
];
