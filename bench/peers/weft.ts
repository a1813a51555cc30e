/** Our own cluster, by its mounts and by its library. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchCluster } from '../cluster.ts';
import { Worker } from '../processes.ts';
import { run } from './commands.ts';
import { type DirectoryTools, directoryWorks } from './directory-works.ts';
import { libraryFiles, libraryStream } from './library-works.ts';
import type { Skip } from './report.ts';
import type { System } from './system.ts';

const iods = 4;
const atOnce = 128;
const version = 'this one';
const overTcp = 'over TCP, as from another host';

export interface Weft {
  readonly systems: readonly System[];
  readonly skipped: readonly Skip[];
  stop(): Promise<void>;
}

/** @param noMounts why it is not mounted; else the caller has made mounts our own */
export async function startWeft(
  directory: string,
  tools: DirectoryTools,
  noMounts: string | undefined,
): Promise<Weft> {
  const cluster = await BenchCluster.start(iods);
  const client = new Worker('client-process.ts');
  const distant = new Worker('client-process.ts');
  const stop = async (): Promise<void> => {
    await Promise.all([client, distant].map((worker) => worker.end()));
    await cluster.stop();
  };
  try {
    const skipped: Skip[] = [];
    const systems: System[] = [];
    if (noMounts === undefined) {
      systems.push(await mounted(cluster, join(directory, 'weft'), tools));
      systems.push(await mountedOverTcp(cluster, directory, tools));
    } else {
      skipped.push({ name: 'weftfs, mounted', reason: noMounts });
    }
    await client.perform({ kind: 'connect', url: cluster.url, tcp: false });
    await distant.perform({ kind: 'connect', url: cluster.url, tcp: true });
    systems.push(...libraries(cluster, client, distant));
    return { systems, skipped, stop };
  } catch (error: unknown) {
    await stop();
    throw error;
  }
}

async function mounted(
  cluster: BenchCluster,
  directory: string,
  tools: DirectoryTools,
): Promise<System> {
  const mount = await mountAt(cluster, directory);
  return {
    name: 'weftfs',
    version,
    about:
      'mounted; a mgr and four iods, stripes of 256 KiB with checksums; names are durable when ' +
      'somebody else can see them, 20 ms later at the latest; unix sockets and shared memory between processes of the host',
    sets: (sizes) => directoryWorks(directory, tools, sizes),
    processes: () => [...pidsOf(cluster), mount],
  };
}

async function mountedOverTcp(
  cluster: BenchCluster,
  scratch: string,
  tools: DirectoryTools,
): Promise<System> {
  const directory = join(scratch, 'weft-tcp');
  const mount = await asAnotherHost(scratch, async () => mountAt(cluster, directory));
  return {
    name: 'weftfs over TCP',
    version,
    about: `the same, mounted ${overTcp}`,
    sets: (sizes) => ({ stream: directoryWorks(directory, tools, sizes).stream }),
    processes: () => [...pidsOf(cluster), mount],
  };
}

function libraries(cluster: BenchCluster, client: Worker, distant: Worker): System[] {
  const processes = (worker: Worker) => () => [...pidsOf(cluster), worker.pid];
  return [
    {
      name: 'weftfs library',
      version,
      about:
        'the same without the kernel, one call at a time, small files by `writeFile`; memory with that of the program',
      sets: (sizes) => ({
        stream: libraryStream(client, sizes),
        files: libraryFiles(client, sizes, 1),
      }),
      processes: processes(client),
    },
    {
      name: `weftfs library, ${atOnce} at once`,
      version,
      about: `the same with ${atOnce} files on their way at a time`,
      sets: (sizes) => ({ files: libraryFiles(client, sizes, atOnce) }),
      processes: processes(client),
    },
    {
      name: 'weftfs library over TCP',
      version,
      about: `the library, one call at a time, ${overTcp}`,
      sets: (sizes) => ({ stream: libraryStream(distant, sizes) }),
      processes: processes(distant),
    },
  ];
}

function pidsOf({ daemons }: BenchCluster): number[] {
  return daemons.map(({ pid }) => pid);
}

/** @returns the process that serves it */
async function mountAt(cluster: BenchCluster, directory: string): Promise<number> {
  mkdirSync(directory);
  const report = await cluster.weft('mount', directory, '--json');
  return (JSON.parse(report) as { readonly pid: number }).pid;
}

/** By the first that there is a process knows its host. */
const hostIdPaths = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id'];

/** What is started meanwhile takes itself for a process of another host: it has no lanes to ours. */
async function asAnotherHost<T>(scratch: string, start: () => Promise<T>): Promise<T> {
  const path = hostIdPaths.find(
    (one) => existsSync(one) && readFileSync(one, 'utf8').trim() !== '',
  );
  if (path === undefined) throw new Error('this host has no id that could be another');
  const other = join(scratch, 'other-host');
  writeFileSync(other, `${randomUUID()}\n`);
  await run('mount', '--bind', other, path);
  try {
    return await start();
  } finally {
    await run('umount', path);
  }
}
