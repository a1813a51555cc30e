/** MooseFS: a master and four chunkservers on this host. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, processesLike, run } from './commands.ts';
import { type DirectoryTools, directoryWorks } from './directory-works.ts';
import type { System } from './system.ts';

const chunkservers = [0, 1, 2, 3];
const firstPort = 9500;
const emptyMetadata = '/var/lib/mfs/metadata.mfs.empty';

/**
 * @param addresses of this host, in a network of our own: it takes none that begins with 127; one for
 *   each of two that keep names differently
 */
export async function startMoose(
  directory: string,
  addresses: readonly [string, string],
  tools: DirectoryTools,
): Promise<System[]> {
  const version = /[\d.]+/.exec(await run('mfsmaster', '-v'))?.[0] ?? '';
  const [usual, durable] = [join(directory, 'usual'), join(directory, 'durable')];
  await startCluster(usual, addresses[0], {});
  await startCluster(durable, addresses[1], { CHANGELOG_SAVE_MODE: '2' });
  return [
    {
      name: 'MooseFS',
      version,
      about:
        'mounted; a master and four chunkservers, one copy, chunks of 64 MiB with checksums, no ' +
        'trash; options as they come',
      sets: (sizes) => directoryWorks(join(usual, 'mounted'), tools, sizes),
      processes: () => daemonsOf(usual),
    },
    {
      name: 'MooseFS, durable names',
      version,
      about: 'another one whose master syncs every change to the disk before it answers',
      sets: (sizes) => {
        const { files, tree } = directoryWorks(join(durable, 'mounted'), tools, sizes);
        return { files, tree };
      },
      processes: () => daemonsOf(durable),
    },
  ];
}

function daemonsOf(directory: string): number[] {
  return processesLike(new RegExp(`^mfs(master|chunkserver|mount) .*${directory}/`));
}

/** Mounted at `mounted`, when it serves. */
async function startCluster(
  directory: string,
  address: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const master = join(directory, 'master');
  mkdirSync(master, { recursive: true });
  copyFileSync(emptyMetadata, join(master, 'metadata.mfs'));
  const exports = join(directory, 'exports.cfg');
  writeFileSync(exports, '* / rw,alldirs,maproot=0\n* . rw\n');
  await start('mfsmaster', master, {
    EXPORTS_FILENAME: exports,
    MATOML_LISTEN_HOST: address,
    MATOCS_LISTEN_HOST: address,
    MATOCL_LISTEN_HOST: address,
    ...settings,
  });
  for (const i of chunkservers) await startChunkserver(directory, address, i);
  const mounted = join(directory, 'mounted');
  mkdirSync(mounted);
  await run('mfsmount', mounted, '-H', address);
  // One copy, as the others keep; what is unlinked goes at once.
  await run('mfssetgoal', '-r', '1', mounted);
  await run('mfssettrashtime', '-r', '0', mounted);
  const probe = join(mounted, 'probe');
  await eventually(() => writeFileSync(probe, 'ready'));
}

async function startChunkserver(directory: string, address: string, i: number): Promise<void> {
  const own = join(directory, `chunkserver-${i}`);
  const disk = join(own, 'disk');
  mkdirSync(disk, { recursive: true });
  const disks = join(directory, `disks-${i}.cfg`);
  writeFileSync(disks, `${disk}\n`);
  await start('mfschunkserver', own, {
    HDD_CONF_FILENAME: disks,
    MASTER_HOST: address,
    CSSERV_LISTEN_HOST: address,
    CSSERV_LISTEN_PORT: String(firstPort + i),
  });
}

async function start(
  program: string,
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const all = { WORKING_USER: 'root', WORKING_GROUP: 'root', DATA_PATH: directory, ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  const file = `${directory}.cfg`;
  writeFileSync(file, lines.join(''));
  await run(program, '-c', file, 'start');
}
