/** The end of a run: whether all that was acknowledged is there, and nothing else is left. */
import type { FileSystem } from '../../client/index.ts';
import { iodStatus, type TestCluster, until } from '../system/cluster-fixture.ts';
import { appendsPath, blocksPath, lanePath } from './lanes.ts';
import type { Ledger } from './ledger.ts';

export interface Verdict {
  /** Acknowledged, and not there, or not as it was. */
  readonly lost: readonly string[];
  /** Of nobody, and still there. */
  readonly leaked: readonly string[];
}

/**
 * Judges a cluster whose daemons all run and whose writers have ended, in order or not. Waits for
 * the sessions of the dead to end.
 */
export async function judge(cluster: TestCluster, ledger: Ledger): Promise<Verdict> {
  const fs = await cluster.connect();
  const lost = await findLost(fs, ledger);
  await until(async () => {
    const { sessions, opens, reaping } = await fs.status();
    return sessions === 1 && opens === 0 && reaping === 0;
  });
  for (const index of cluster.iods.keys()) {
    await until(async () => (await iodStatus(fs, index)).openEntries === 0);
  }
  await fs.close();
  const { code, stdout, stderr } = await cluster.weft('fsck', '--json');
  return { lost, leaked: code === 0 ? [] : [`weft fsck: ${stdout}${stderr}`] };
}

async function findLost(fs: FileSystem, ledger: Ledger): Promise<string[]> {
  const lost: string[] = [];
  for (const writer of ledger.writers) {
    lost.push(...ledger.checkBlocks(writer, await contentOf(fs, blocksPath(writer))));
    for (const lane of ['names', 'orphans'] as const) {
      lost.push(...ledger.checkNames(writer, lane, await listing(fs, lanePath(lane, writer))));
    }
  }
  lost.push(...ledger.checkAppends(await contentOf(fs, appendsPath)));
  return lost;
}

/** Of a writer that died before it had made its files there is nothing. */
async function contentOf(fs: FileSystem, path: string): Promise<Buffer> {
  return (await fs.exists(path)) ? fs.readFile(path) : Buffer.alloc(0);
}

/** Every path below, and the number of its file. */
async function listing(fs: FileSystem, path: string, prefix = ''): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (!(await fs.exists(path))) return found;
  for (const entry of await fs.readdir(path)) {
    found.set(`${prefix}${entry.name}`, entry.ino);
    if (!entry.isDirectory()) continue;
    const below = await listing(fs, `${path}/${entry.name}`, `${prefix}${entry.name}/`);
    for (const [name, ino] of below) found.set(name, ino);
  }
  return found;
}
