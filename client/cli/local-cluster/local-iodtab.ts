/** The table of a cluster on this host: a given one, the one of last time, or a new one. */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readFileIfThere, replaceFileDurably } from '../../../shared/durable-names.ts';
import {
  formatIodtab,
  type Iodtab,
  iodPortDefault,
  type ListedIod,
  type ListedMgr,
  mgrPortDefault,
  parseIodtab,
} from '../../../shared/iodtab.ts';
import type { Disk } from '../../../shared/runtime/runtime.ts';
import type { IodIndex } from '../../../shared/units.ts';
import { CommandError } from '../failure.ts';
import { freePorts } from './free-ports.ts';

export interface TableWish {
  readonly dataDir: string;
  /** Absolute. Used as it is, where it is. */
  readonly iodtab: string | undefined;
  readonly iods: number | undefined;
  /** Of the mgr; 0: any that are free. `undefined`: as last time, or the default. */
  readonly port: number | undefined;
}

export interface LocalTable {
  readonly file: string;
  readonly mgr: ListedMgr;
  readonly iods: readonly ListedIod[];
}

const host = '127.0.0.1';
const iodsDefault = 4;

/** Ports that were chosen are kept: the table is written once, and grows at its end. */
export async function settleTable(disk: Disk, wish: TableWish): Promise<LocalTable> {
  if (wish.iodtab !== undefined) return givenTable(disk, wish.iodtab, wish);
  const file = join(wish.dataDir, 'iodtab');
  const content = await readFileIfThere(disk, file);
  const old = content === undefined ? undefined : parseIodtab(content.toString('utf8'), file);
  const { mgr, iods } = await wishedTable(old, wish);
  const text = `# Made by weft up. The order is the iod number: add new iods at the end.\n${formatIodtab({ mgr, iods })}`;
  if (content?.toString('utf8') !== text) await replaceFileDurably(disk, file, Buffer.from(text));
  return { file, mgr, iods };
}

async function givenTable(disk: Disk, file: string, wish: TableWish): Promise<LocalTable> {
  const content = await readFileIfThere(disk, file);
  if (content === undefined) {
    throw new CommandError('ENOENT', `there is no iodtab ${file}`, { path: file });
  }
  const { mgr = { host, port: mgrPortDefault }, iods } = parseIodtab(
    content.toString('utf8'),
    file,
  );
  if (wish.iods !== undefined || wish.port !== undefined) {
    throw new CommandError('EINVAL', `${file} says how many iods there are, and their ports`, {
      effect: 'nothing was started',
      advice: 'leave out --iods and --port, or --iodtab',
    });
  }
  const ours = localHosts();
  const far = [mgr, ...iods].find((one) => !ours.has(one.host));
  if (far !== undefined) {
    throw new CommandError('EADDRNOTAVAIL', `${file} lists ${far.host}, which is not this host`, {
      effect: 'nothing was started',
      advice: 'weft up starts what is on this host; on others run weft mgr and weft iod',
      path: file,
    });
  }
  return { file, mgr, iods };
}

async function wishedTable(
  old: Iodtab | undefined,
  { iods: wishedCount, port }: TableWish,
): Promise<{ mgr: ListedMgr; iods: readonly ListedIod[] }> {
  const kept = old?.iods.length ?? 0;
  const count = wishedCount ?? (kept || iodsDefault);
  if (count < kept) {
    throw new CommandError('EINVAL', `there are ${kept} iods, and files may be on all of them`, {
      effect: 'nothing was started',
      advice: `--iods ${kept} or more, or another --data directory`,
    });
  }
  const place = (index: number, itsPort: number): ListedIod => ({
    index: index as IodIndex,
    name: `iod${index}`,
    host,
    port: itsPort,
  });
  const numbers = Array.from({ length: count }, (_, index) => index);
  if (port !== undefined && port !== 0) {
    if (port + count > 65_535) {
      throw new CommandError('EINVAL', `${count} iods behind port ${port} go beyond 65535`, {
        advice: 'choose a lower --port',
      });
    }
    const iods = numbers.map((index) => place(index, port + 1 + index));
    return { mgr: { host, port }, iods };
  }
  const free = port === 0 ? await freePorts(count + 1, host) : undefined;
  const basePort = old?.mgr?.port ?? free?.[0] ?? mgrPortDefault;
  const iods = numbers.map((index) => {
    const next = (old?.iods.at(-1)?.port ?? iodPortDefault - 1) + 1 + index - kept;
    return old?.iods[index] ?? place(index, free?.[index + 1] ?? next);
  });
  return { mgr: { host, port: basePort }, iods };
}

function localHosts(): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((ones) => ones ?? []);
  return new Set(['localhost', ...addresses.map(({ address }) => address)]);
}
