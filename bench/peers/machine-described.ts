/** On what kind of machine a report was made; nothing tells which one it was. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, loadavg, release, totalmem } from 'node:os';
import type { Report } from './report.ts';

const GiB = 1024 ** 3;

/** Without what its builder has called it. */
export function kernelVersion(): string {
  return release().split('-')[0] ?? '';
}

/** @param directory on the disk that is used */
export function describeMachine(directory: string): Report['machine'] {
  const disk = execFileSync('df', ['--output=fstype', directory], { encoding: 'utf8' });
  return {
    processors: availableParallelism(),
    memoryGibibytes: Math.round(totalmem() / GiB),
    node: process.version,
    kernel: kernelVersion(),
    disk: disk.split('\n')[1]?.trim() ?? '',
    load: Number(loadavg()[0]?.toFixed(1)),
  };
}
