/** `weft recovery`: what every recovery of the mgr and of the iods was. */
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { reportLines, reportTable } from '../recovery-lines.ts';
import { allReports, beginOf, type ListedReport } from '../../observing/recovery-reports.ts';

export const run: Run = async ({ operands: [action, id] }, { output, fileSystem }) => {
  if (action !== 'list' && action !== 'show') {
    throw new UsageError(`there is no weft recovery ${action}`, 'weft recovery list, or show');
  }
  if (action === 'list' && id !== undefined) {
    throw new UsageError('weft recovery list takes no report', `weft recovery show ${id}`);
  }
  const { reports, missing } = await allReports(await fileSystem());
  for (const { daemon, why } of missing) output.remark(`weft: ${daemon} was not asked: ${why}`);
  const { paint } = output;
  if (action === 'list') {
    output.result({ reports: reports.map(json), missing }, () =>
      reports.length === 0 ? 'nothing had to be recovered' : reportTable(reports, paint),
    );
    return;
  }
  const found = id === undefined ? reports[0] : reports.find((report) => report.id === id);
  if (found === undefined) {
    throw new UsageError(`there is no report ${id ?? 'yet'}`, 'weft recovery list shows them all');
  }
  output.result({ report: json(found), missing }, () => reportLines(found, paint));
};

function json(report: ListedReport): object {
  return { ...report, startedAt: new Date(beginOf(report)).toISOString() };
}
