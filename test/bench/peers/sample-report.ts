/** A small report, as a run would leave it. */
import { figuresOf, type Report, type Run } from '../../../bench/peers/report.ts';

const names = ['weftfs', 'weftfs library', 'GlusterFS', 'MooseFS', 'local disk', 'loopback TCP'];
const systems = names.map((name) => ({ name, version: '1', about: `about ${name}` }));

const runs: readonly Run[] = [
  ...[100, 300, 200].map((value) => run('weftfs', 'write', value, 2e6, 500)),
  ...[400].map((value) => run('weftfs library', 'write', value, 1e6, 400)),
  ...[50].map((value) => run('GlusterFS', 'write', value, 3e6, 100)),
  { system: 'local disk', work: 'write', value: 2000, done: 1024 ** 3 },
  { system: 'loopback TCP', work: 'write', value: 800, done: 1024 ** 3 },
  { ...run('weftfs', 'unlink', 500, 1e6, 500), done: 1000 },
  { ...run('GlusterFS', 'unlink', 1000, 1e6, 100), done: 1000 },
];

export const sample: Report = {
  schema: 1,
  isQuick: false,
  rounds: 3,
  machine: {
    processors: 2,
    memoryGibibytes: 24,
    node: 'v20.0.0',
    kernel: '6.0',
    disk: 'ext4',
    load: 0,
  },
  sizes: { streamBytes: 1024 ** 3, files: 1000, treeEntries: 10 },
  systems,
  skipped: [{ name: 'MooseFS', reason: 'it is not installed' }],
  figures: figuresOf(systems, runs),
};

/** A run of 1 GiB. */
export function run(
  system: string,
  work: Run['work'],
  value: number,
  cpuUs: number,
  residentMebibytes: number,
): Run {
  return { system, work, value, done: 1024 ** 3, cpuUs, residentMebibytes };
}
