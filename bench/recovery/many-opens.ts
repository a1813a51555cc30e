/** What it costs to start a daemon when very much is open. */
import type { Row } from '../rows.ts';
import { startOfNode } from './daemon.ts';
import { bound, Figures } from './figures.ts';
import type { KillableCluster } from './killable-cluster.ts';
import { tableBytesEach } from './table-memory.ts';

export interface Load {
  readonly sessions: number;
  readonly filesEach: number;
}

/** Each session has files of its own open. @returns what the opens added to the start of an iod, ms */
export async function restartsWithFiles(
  cluster: KillableCluster,
  { sessions, filesEach }: Load,
  rows: Row[],
): Promise<number> {
  const opens = sessions * filesEach;
  const [iod, mgr] = [cluster.daemon('iod0'), cluster.daemon('mgr')];
  const figures = new Figures(`${shown(opens)} files open by ${sessions} sessions`, rows);
  const emptyIod = await cluster.restarts(iod, 'SIGKILL');
  const emptyIodMemory = iod.residentMebibytes();
  const emptyClean = await cluster.restarts(iod, 'SIGTERM');
  const emptyMgr = await cluster.restarts(mgr, 'SIGKILL');
  figures.add('a start with nothing open', emptyIod.ms, 'ms', {
    name: 'Node by itself',
    value: await startOfNode(),
  });

  const holder = cluster.holder();
  await holder.ask({ kind: 'hold', url: cluster.url, sessions });
  const idle = await cluster.restarts(mgr, 'SIGKILL');
  const idleMemory = mgr.residentMebibytes();
  const idleBackMs = (await cluster.backAfter(mgr)).ms;
  await holder.ask({ kind: 'open', filesEach });

  const killed = await cluster.restarts(iod, 'SIGKILL');
  figures.start('iod killed', killed, emptyIod, 1000);
  const readBytes = (killed.readBytes - emptyIod.readBytes) / opens;
  figures.add('iod killed: bytes read for each open', readBytes, 'B', bound(64));
  figures.memory('iod', iod.residentMebibytes(), emptyIodMemory, opens);
  figures.start('iod stopped', await cluster.restarts(iod, 'SIGTERM'), emptyClean, 100);
  figures.start('mgr killed', await cluster.restarts(mgr, 'SIGKILL'), emptyMgr, 1500);
  const each = figures.memory('mgr', mgr.residentMebibytes(), idleMemory, opens);
  const table = await tableBytesEach({ sessions, filesEach });
  figures.add('mgr: of that, columns of its table', table, 'B', { name: 'all of it', value: each });
  const back = await cluster.backAfter(mgr);
  figures.add('mgr: all sessions back after', back.ms, 'ms', bound(2000), back.cpuMs);
  figures.add('mgr: the same, sessions with nothing open', idleBackMs, 'ms', bound(2000));
  figures.add('mgr: start with sessions and nothing open', idle.ms, 'ms', {
    name: 'nothing open',
    value: emptyMgr.ms,
  });
  return killed.ms - emptyIod.ms;
}

/** All sessions have the same files open: as many caps as that makes. */
export async function restartsWithCaps(
  cluster: KillableCluster,
  { sessions, filesEach }: Load,
  fewer: { readonly opens: number; readonly addedMs: number },
  rows: Row[],
): Promise<void> {
  const opens = sessions * filesEach;
  const [iod, mgr] = [cluster.daemon('iod0'), cluster.daemon('mgr')];
  const figures = new Figures(`${shown(opens)} caps of ${sessions} sessions`, rows);
  const emptyIod = await cluster.restarts(iod, 'SIGKILL');
  const emptyIodMemory = iod.residentMebibytes();
  const emptyMgrMemory = mgr.residentMebibytes();
  const holder = cluster.holder();
  await holder.ask({ kind: 'hold', url: cluster.url, sessions });
  await holder.ask({ kind: 'share', files: filesEach });
  const killed = await cluster.restarts(iod, 'SIGKILL');
  figures.add(
    'iod killed: exec to serving',
    killed.ms,
    'ms',
    {
      name: 'nothing open',
      value: emptyIod.ms,
    },
    killed.cpuMs,
  );
  figures.add('iod killed: what the caps add to it', killed.ms - emptyIod.ms, 'ms', {
    name: `as ${shown(fewer.opens)}, times ${opens / fewer.opens}`,
    value: (fewer.addedMs * opens) / fewer.opens,
  });
  const readBytes = (killed.readBytes - emptyIod.readBytes) / opens;
  figures.add('iod killed: bytes read for each cap', readBytes, 'B', bound(64));
  figures.add('iod: most memory while it starts', iod.residentMebibytes('peak'), 'MiB', bound(250));
  figures.memory('iod', iod.residentMebibytes(), emptyIodMemory, opens);
  await cluster.restarts(mgr, 'SIGKILL');
  figures.memory('mgr', mgr.residentMebibytes(), emptyMgrMemory, opens);
}

function shown(count: number): string {
  return count.toLocaleString('en');
}
