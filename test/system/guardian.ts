/**
 * Cleans up behind a test process that ended without doing it: killed, timed out, interrupted. It
 * is told on standard input what there is (`+ pid 123`, `- directory /tmp/x`); when that input
 * ends, what is left is ended and removed. A program of its own: nothing imports it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stopCluster } from '../../client/cli/local-cluster/local-cluster.ts';

/** Processes hold files of mounts, and mounts are below directories. */
const order = ['cluster', 'pid', 'mount', 'directory'] as const;
type Kind = (typeof order)[number];

const removers: Readonly<Record<Kind, (name: string) => unknown>> = {
  /** The directory of one that `weft up` has left behind: it knows its processes. */
  cluster: (name) => stopCluster(name),
  pid: (name) => process.kill(Number(name), 'SIGKILL'),
  mount: (name) => execFileSync('umount', ['--lazy', name], { stdio: 'ignore' }),
  directory: (name) => rmSync(name, { recursive: true, force: true, maxRetries: 5 }),
};

const left = new Map<Kind, Set<string>>(order.map((kind) => [kind, new Set()]));

// The group of processes that Ctrl-C goes to may still need us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => undefined);
}
for await (const line of createInterface({ input: process.stdin })) {
  const [, sign, kind, name = ''] = /^([+-]) (cluster|pid|mount|directory) (.+)$/.exec(line) ?? [];
  const names = left.get(kind as Kind);
  if (sign === '+') names?.add(name);
  else names?.delete(name);
}
for (const kind of order) {
  for (const name of left.get(kind) ?? []) {
    try {
      await removers[kind](name);
    } catch {
      // It went by itself meanwhile.
    }
  }
}
