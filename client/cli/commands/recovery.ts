/** `weft recovery`: what every recovery of the mgr and of the iods was. */
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { followRecovery } from '../recovery-follow.ts';
import { reportLines, reportTable } from '../recovery-lines.ts';
import {
  allReports,
  type AllReports,
  beginOf,
  type ListedReport,
} from '../../observing/recovery-reports.ts';
import { askOrRead, keptReports } from '../kept-records.ts';

export const run: Run = async (given, context) => {
  const { output, fileSystem } = context;
  const [action, id] = given.operands;
  if (action === 'follow' && id === undefined) return followRecovery(given, context);
  if (action !== 'list' && action !== 'show') {
    throw new UsageError(
      `there is no weft recovery ${action}`,
      'weft recovery list, show or follow',
    );
  }
  if (action === 'list' && id !== undefined) {
    throw new UsageError('weft recovery list takes no report', `weft recovery show ${id}`);
  }
  const ask = async (): Promise<AllReports> => allReports(await fileSystem());
  const { found: all, isFromDisk } = await askOrRead(given, context, ask, async (...kept) => {
    return { reports: await keptReports(...kept), missing: [] };
  });
  const { reports, missing } = all;
  const outcome = isFromDisk ? 'failed' : undefined;
  for (const { daemon, why } of missing) output.remark(`weft: ${daemon} was not asked: ${why}`);
  const { paint } = output;
  if (action === 'list') {
    output.result({ reports: reports.map(json), missing }, () =>
      reports.length === 0 ? 'nothing had to be recovered' : reportTable(reports, paint),
    );
    return outcome;
  }
  const found = id === undefined ? reports[0] : reports.find((report) => report.id === id);
  if (found === undefined) {
    throw new UsageError(`there is no report ${id ?? 'yet'}`, 'weft recovery list shows them all');
  }
  output.result({ report: json(found), missing }, () => reportLines(found, paint));
  return outcome;
};

function json(report: ListedReport): object {
  return { ...report, startedAt: new Date(beginOf(report)).toISOString() };
}
