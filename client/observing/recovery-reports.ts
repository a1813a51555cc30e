/** The reports of all daemons' recoveries, asked of the mgr, which asks the iods. */
import { toFsError } from '../../shared/errno.ts';
import { decodeRecovery, type RecoveryReport } from '../../shared/recovery-report.ts';
import type { IodIndex } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { FileSystem } from '../file-system.ts';

export interface ListedReport extends RecoveryReport {
  /** `iod2-17`: for `weft recovery show`. */
  readonly id: string;
}

export interface AllReports {
  /** The latest first, by the clocks of their daemons. */
  readonly reports: readonly ListedReport[];
  /** Daemons that could not be asked. */
  readonly missing: readonly { readonly daemon: string; readonly why: string }[];
}

/** Whose session asks. */
type Asked = Pick<FileSystem, 'session' | 'members'>;

/** How long a daemon may take for a page: whoever asks wants to know what is wrong. */
const patienceMs = 1_000;

/** @throws FsError of the mgr; EACCES without the key of the cluster */
export async function allReports(fs: Asked): Promise<AllReports> {
  const [ofMgr, members] = await Promise.all([reportsOf(fs, undefined), fs.members()]);
  const missing: { daemon: string; why: string }[] = [];
  const ofIods = await Promise.all(
    members.map(async ({ index, name }) => {
      try {
        return await reportsOf(fs, index);
      } catch (error) {
        const { what, message } = toFsError(error);
        missing.push({ daemon: name, why: what ?? message });
        return [];
      }
    }),
  );
  const reports = [...ofMgr, ...ofIods.flat()].toSorted((a, b) => beginOf(b) - beginOf(a));
  return { reports, missing };
}

async function reportsOf(fs: Asked, iod: IodIndex | undefined): Promise<ListedReport[]> {
  const all: ListedReport[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const deadline = fs.session.runtime.clock.now() + patienceMs;
    const { reports, done } = await fs.session.call(
      clusterOps.recoveries,
      { iod, before },
      { deadline },
    );
    const page = reports.map(decodeRecovery);
    all.push(...page.map((report) => ({ id: `${report.daemon}-${report.number}`, ...report })));
    const last = page.at(-1);
    if (done || last === undefined) return all;
    before = last.number;
  }
}

/** Milliseconds since 1970. */
export function beginOf({ startedAt: { seconds, nanoseconds } }: RecoveryReport): number {
  return seconds * 1000 + nanoseconds / 1e6;
}
