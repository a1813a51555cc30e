/** GlusterFS: two volumes of four bricks on this host. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, processesLike, run } from './commands.ts';
import { type DirectoryTools, directoryWorks } from './directory-works.ts';
import type { System } from './system.ts';

const bricks = [0, 1, 2, 3];
/** Where it keeps its state whatever it is told; `/run` is ours already. */
const stateDirectories = ['/var/lib/glusterd', '/var/log/glusterfs'];

/** @param address of this host, in a network and with mounts of our own */
export async function startGluster(
  directory: string,
  address: string,
  tools: DirectoryTools,
): Promise<System[]> {
  const version = /glusterfs (\S+)/.exec(await run('glusterfs', '--version'))?.[1] ?? '';
  mkdirSync(directory);
  for (const [i, path] of stateDirectories.entries()) {
    const own = join(directory, `state-${i}`);
    mkdirSync(own);
    await run('mount', '--bind', own, path);
  }
  mkdirSync('/run/gluster');
  await run('glusterd');
  await eventually(async () => gluster('pool', 'list'));
  const whole = await startVolume(directory, address, 'whole');
  const shards = ['features.shard on', 'features.shard-block-size 4MB'];
  const sharded = await startVolume(directory, address, 'sharded', shards);
  return [
    {
      name: 'GlusterFS',
      version,
      about: 'mounted; four bricks, each file whole on one of them; options as they come',
      sets: (sizes) => directoryWorks(whole, tools, sizes),
      processes: () => daemonsOf('whole'),
    },
    {
      name: 'GlusterFS, shards',
      version,
      about:
        'the same with files in shards of 4 MiB over the bricks: it has no stripes any more, and ' +
        'this is what comes nearest',
      sets: (sizes) => ({ stream: directoryWorks(sharded, tools, sizes).stream }),
      processes: () => daemonsOf('sharded'),
    },
  ];
}

/** @returns where it is mounted, when it serves */
async function startVolume(
  directory: string,
  address: string,
  volume: string,
  options: readonly string[] = [],
): Promise<string> {
  const places = bricks.map((brick) => join(directory, `${volume}-brick-${brick}`));
  for (const place of places) mkdirSync(place);
  const words = places.map((place) => `${address}:${place}`);
  await gluster('volume', 'create', volume, ...words, 'force');
  for (const option of options) await gluster('volume', 'set', volume, ...option.split(' '));
  await gluster('volume', 'start', volume);
  const mounted = join(directory, volume);
  mkdirSync(mounted);
  await run('glusterfs', `--volfile-server=${address}`, `--volfile-id=${volume}`, mounted);
  await eventually(() => mkdirSync(join(mounted, 'ready')));
  return mounted;
}

async function gluster(...words: readonly string[]): Promise<string> {
  return run('gluster', '--mode=script', ...words);
}

function daemonsOf(volume: string): number[] {
  return processesLike(new RegExp(`^glusterd |--volfile-id[= ]${volume}[ .]`));
}
