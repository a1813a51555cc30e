/**
 * `npm run bench:peers`: weftfs beside GlusterFS and MooseFS, each with four bricks, chunkservers or
 * iods on this host, and beside what the host does alone; all in one run.
 *
 *     npm run bench:peers -- [--quick] [--rounds=N] [--json] [--publish]
 *
 * It is for Linux and root, with Debian's packages glusterfs-server, glusterfs-client, moosefs-master,
 * moosefs-chunkserver and moosefs-client; what is missing is skipped by name. All runs in namespaces of
 * its own, and nothing is left behind. The figures are in bench/results/peers.json then; `--publish`
 * makes docs/PERFORMANCE.md of them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Order } from './order.ts';
import { publish } from './performance-files.ts';
import type { Report } from './report.ts';
import { asTable } from './table.ts';

const namespaces = '--mount --pid --net --fork --kill-child --mount-proc'.split(' ');
/** The first process of a namespace: it waits for all that have lost their parents. */
const init = ['sh', '-c', '"$@" <&3 3<&- & wait $!', 'sh'];
const results = fileURLToPath(new URL('../results/', import.meta.url));
const program = fileURLToPath(new URL('inside-process.ts', import.meta.url));

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
  },
});

const directory = mkdtempSync(join(tmpdir(), 'weft-peers-'));
let child: ChildProcess | undefined;
let isCut = false;
const noNamespaces = reasonAgainstNamespaces();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    isCut = true;
    // With its first process the whole namespace goes; without one, it is asked to end in order.
    if (noNamespaces === undefined) child?.kill('SIGKILL');
    else child?.stdio[3]?.destroy();
  });
}
try {
  const order: Order = {
    directory,
    isQuick: values.quick,
    ...(values.rounds !== undefined && { rounds: Number(values.rounds) }),
    ...(noNamespaces !== undefined && { noNamespaces }),
  };
  const words = [...process.execArgv, program, JSON.stringify(order)];
  const prefix = noNamespaces === undefined ? ['unshare', ...namespaces] : [];
  const [command = '', ...rest] = [...prefix, ...init, process.execPath, ...words];
  child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (isCut) process.exitCode = 130;
  else if (status === 0) show();
  else process.exitCode = 1;
} finally {
  // Those that were killed may take a moment to let go.
  rmSync(directory, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
}

function show(): void {
  mkdirSync(results, { recursive: true });
  copyFileSync(join(directory, 'report.json'), join(results, 'peers.json'));
  const text = readFileSync(join(results, 'peers.json'), 'utf8');
  const report = JSON.parse(text) as Report;
  console.log(values.json ? text : asTable(report));
  if (values.publish) publish({ peers: report });
}

/** @returns nothing when they can be had */
function reasonAgainstNamespaces(): string | undefined {
  if (!existsSync('/proc/self/ns/net')) return 'it is for Linux';
  try {
    const words = [...namespaces, 'sh', '-c', 'ip link set lo up'];
    execFileSync('unshare', words, { stdio: 'pipe' });
    return undefined;
  } catch (error: unknown) {
    return `it takes namespaces, and so root: ${String(error).trim().split('\n').at(-1)}`;
  }
}
