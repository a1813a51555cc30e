/** Recoveries: those that run, and the reports of those that are over. */
import { useEffect, useState } from 'preact/hooks';
import { toFsError } from '../../../shared/errno.ts';
import type { RecoveryItem } from '../../../shared/recovery-report.ts';
import {
  allReports,
  type AllReports,
  beginOf,
  type ListedReport,
} from '../../observing/recovery-reports.ts';
import { amount, duration, summary } from '../../observing/recovery-words.ts';
import { printable } from '../../observing/shown-text.ts';
import type { ViewProps } from '../watch.ts';
import { Command } from './command.tsx';
import { Events } from './events.tsx';
import { Running } from './running.tsx';
import { State } from './state.tsx';
import { Table } from './table.tsx';

export function Recoveries({ fs, picture }: ViewProps) {
  const [all, setAll] = useState<AllReports>();
  const [failure, setFailure] = useState('');
  const [shown, show] = useState<string>();
  const { events, status } = picture;
  // Whatever happens may leave a report.
  const happened = events.length;
  useEffect(() => {
    allReports(fs).then(
      (reports) => {
        setAll(reports);
        setFailure('');
      },
      (error: unknown) => setFailure(toFsError(error).message),
    );
  }, [fs, happened, status.state]);
  const report = all?.reports.find(({ id }) => id === shown);
  return (
    <>
      <Running status={status} />
      <section aria-labelledby="reports">
        <h2 id="reports">Reports</h2>
        {failure !== '' && <p role="alert">{failure}</p>}
        {all?.missing.map(({ daemon, why }) => (
          <p key={daemon}>
            {printable(daemon)} cannot be asked: {printable(why)}
          </p>
        ))}
        <ReportTable reports={all?.reports ?? []} shown={shown} show={show} />
        <Command line="weft recovery list" />
      </section>
      {report && <Report report={report} />}
      <Events picture={picture} />
    </>
  );
}

function ReportTable(props: {
  readonly reports: readonly ListedReport[];
  readonly shown: string | undefined;
  readonly show: (id: string) => void;
}) {
  const { reports, shown, show } = props;
  if (reports.length === 0) return <p>There are none.</p>;
  return (
    <Table heads={['when', 'report', 'cause', 'outcome', 'took', 'what']}>
      {reports.map((report) => (
        <tr key={report.id}>
          <td>{new Date(beginOf(report)).toLocaleString()}</td>
          <th scope="row">
            <button
              type="button"
              class="link"
              aria-expanded={report.id === shown}
              onClick={() => show(report.id)}
            >
              {printable(report.id)}
            </button>
          </th>
          <td>{report.cause}</td>
          <td>
            <State word={report.outcome} />
          </td>
          <td>{duration(report.tookMs)}</td>
          <td>{summary(report)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Report({ report }: { readonly report: ListedReport }) {
  const { id, cause, why, tookMs, phases, restarts } = report;
  const whole = Math.max(1, tookMs);
  return (
    <section aria-labelledby="report">
      <h2 id="report">{printable(id)}</h2>
      <p>
        {cause}: {printable(why)}. It took {duration(tookMs)}.
      </p>
      <ol class="phases" aria-label="phases">
        {phases.map(({ name, atMs, tookMs: took }) => (
          <li key={name}>
            <span>{name}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect
                x={(100 * atMs) / whole}
                width={Math.max(0.5, (100 * took) / whole)}
                height="10"
              />
            </svg>
            <span>{duration(took)}</span>
          </li>
        ))}
      </ol>
      {restarts.map(({ why: reason, times }) => (
        <p key={reason}>
          Began again {times} times: {printable(reason)}
        </p>
      ))}
      <Items title="came back" items={report.restored} />
      <Items title="was dropped" items={report.dropped} />
      <Items title="nobody can know" items={report.uncertain} />
      <Command line={`weft recovery show ${id}`} />
    </section>
  );
}

function Items({
  title,
  items,
}: {
  readonly title: string;
  readonly items: readonly RecoveryItem[];
}) {
  if (items.length === 0) return null;
  return (
    <p>
      {title}: {items.map(amount).join(', ')}
    </p>
  );
}
