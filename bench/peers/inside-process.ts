/**
 * Starts all that is compared and lets it work, in namespaces that `main.ts` has made: what it starts,
 * mounts and listens on there ends with it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLoopback, warmMemory } from '../machine.ts';
import type { UserTask } from '../mount/user-tasks.ts';
import { Worker } from '../processes.ts';
import { run } from './commands.ts';
import { compare } from './comparison.ts';
import type { DirectoryTools } from './directory-works.ts';
import { startGluster } from './gluster.ts';
import { bareSockets, localDisk } from './machine-limits.ts';
import { describeMachine } from './machine-described.ts';
import { startMoose } from './moose.ts';
import type { Order } from './order.ts';
import { figuresOf, type Report, type Skip } from './report.ts';
import { fullSizes, quickSizes, type Sizes, type System } from './system.ts';
import { startWeft } from './weft.ts';

const { directory, isQuick, rounds, noNamespaces } = JSON.parse(process.argv[2] ?? '') as Order;
/** Of a network for documents (RFC 5737); only this namespace has them. */
const addresses = ['192.0.2.1', '192.0.2.2'] as const;
const treeFolders = {
  quick: ['iod', 'mgr', 'shared'],
  full: ['client', 'docs', 'iod', 'mgr', 'shared', 'test'],
};

process.env['TMPDIR'] = directory;
const usual = isQuick ? quickSizes : fullSizes;
const sizes: Sizes = { ...usual, rounds: rounds ?? usual.rounds };
const { streamBytes, files } = sizes;
const skipped: Skip[] = [];
const systems: System[] = [];
const cut = new AbortController();
// Whoever started this has gone.
process.stdin.on('end', () => cut.abort(new Error('cut off'))).resume();

if (noNamespaces === undefined) await furnish();
const user = new Worker<UserTask>('mount/user-process.ts');
const loopback = await startLoopback();
const tools: DirectoryTools = { user, ...packTree() };
const machine = describeMachine(directory);
const noMounts = noNamespaces ?? (existsSync('/dev/fuse') ? undefined : 'there is no /dev/fuse');

const local = join(directory, 'local');
mkdirSync(local);
const weft = await startWeft(directory, tools, noMounts);
try {
  systems.push(...weft.systems);
  skipped.push(...weft.skipped);
  await start('GlusterFS', async () =>
    startGluster(join(directory, 'gluster'), addresses[0], tools),
  );
  await start('MooseFS', async () => startMoose(join(directory, 'moose'), addresses, tools));
  systems.push(localDisk(local, machine.disk, tools), bareSockets(loopback));
  const {
    rounds: counted,
    runs,
    failed,
  } = await compare(systems, sizes, {
    signal: cut.signal,
    tell: console.error,
    warm: (bytes) => warmMemory(local, bytes),
  });
  const notes = systems.map(({ name, version, about }) => ({ name, version, about }));
  const report: Report = {
    schema: 1,
    isQuick,
    rounds: counted,
    machine,
    sizes: { streamBytes, files, treeEntries: tools.treeEntries },
    systems: notes,
    skipped: [...skipped, ...failed],
    figures: figuresOf(notes, runs),
  };
  writeFileSync(join(directory, 'report.json'), JSON.stringify(report));
} finally {
  await weft.stop();
  await user.end();
  loopback.end();
}
process.exit(); // Daemons that it has started may still hold it.

/** Loopback, addresses that are none of 127, and room for what daemons leave behind. */
async function furnish(): Promise<void> {
  await run('ip', 'link', 'set', 'lo', 'up');
  for (const address of addresses) await run('ip', 'address', 'add', address, 'dev', 'lo');
  await run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
}

/** Those that are not installed, or do not start, are skipped by name. */
async function start(name: string, begin: () => Promise<readonly System[]>): Promise<void> {
  if (noMounts !== undefined) {
    skipped.push({ name, reason: noMounts });
    return;
  }
  try {
    systems.push(...(await begin()));
  } catch (error: unknown) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    skipped.push({ name, reason: isMissing ? 'it is not installed' : String(error) });
  }
}

/** The sources of this project as a tar file. */
function packTree(): Pick<DirectoryTools, 'archive' | 'treeEntries'> {
  const archive = join(directory, 'tree.tar');
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folders = treeFolders[isQuick ? 'quick' : 'full'];
  execFileSync('tar', ['-C', root, '-cf', archive, ...folders]);
  const list = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' });
  return { archive, treeEntries: list.trim().split('\n').length };
}
