/** The cluster at a glance: what is wrong, who is in which state, and what has happened. */
import { formatAddress } from '../../../shared/iodtab-address.ts';
import { healthCatalogue } from '../../../shared/health-catalogue.ts';
import { counted, displayBytes, humanDuration, percent } from '../../../shared/figures.ts';
import { bySeverity, type Finding, findingsOfStatus } from '../../../shared/health-findings.ts';
import { printable } from '../../observing/shown-text.ts';
import type { Picture, ViewProps } from '../watch.ts';
import { Command } from './command.tsx';
import { Events } from './events.tsx';
import { Running } from './running.tsx';
import { State } from './state.tsx';
import { Table } from './table.tsx';

export function Overview({ picture }: ViewProps) {
  const { status, silence, epoch } = picture;
  const { files, sessions, opens, reaping, version, uptimeMs, cluster } = status;
  return (
    <>
      <Findings picture={picture} />
      <Running status={status} />
      <section aria-labelledby="daemons">
        <h2 id="daemons">Daemons</h2>
        {silence !== undefined && <p>As the mgr said when it was heard last:</p>}
        <Daemons picture={picture} />
        <Command line="weft status" />
      </section>
      <section aria-labelledby="figures">
        <h2 id="figures">Cluster</h2>
        <dl class="figures">
          <Figure name="files" value={String(files)} />
          <Figure name="sessions" value={String(sessions)} />
          <Figure name="open files" value={String(opens)} />
          <Figure name="to be removed" value={String(reaping)} />
          <Figure name="epoch" value={`${epoch.generation}.${epoch.number}`} />
          <Figure name="mgr up for" value={silence ? '-' : humanDuration(uptimeMs / 1000)} />
          <Figure name="version" value={version} />
          <Figure name="identity" value={cluster.slice(0, 8)} />
        </dl>
      </section>
      <Events picture={picture} />
    </>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Findings({ picture: { status, silence } }: { readonly picture: Picture }) {
  const findings: readonly Finding[] =
    silence === undefined
      ? bySeverity(findingsOfStatus(status))
      : [{ code: 'WEFT_H_MGR_UNREACHABLE', subject: 'mgr', detail: silence }];
  return (
    <section aria-labelledby="health">
      <h2 id="health">Health</h2>
      <div role="status" aria-live="polite">
        {findings.length === 0 ? (
          <p>Nothing is wrong.</p>
        ) : (
          <ul class="findings">
            {findings.map((finding) => (
              <FindingItem key={`${finding.code} ${finding.subject}`} finding={finding} />
            ))}
          </ul>
        )}
      </div>
      <Command line="weft health" />
    </section>
  );
}

function FindingItem({ finding: { code, subject, detail } }: { readonly finding: Finding }) {
  const { severity, what, effect, advice } = healthCatalogue[code];
  return (
    <li>
      <strong class={severity === 'error' ? 'bad' : 'warning'}>
        {severity}: {printable(subject)}: {what}
      </strong>{' '}
      ({printable(detail)})
      <br />
      Effect: {effect}.
      <br />
      Try: {advice}.
      <br />
      <code>weft explain {code}</code>
    </li>
  );
}

function Daemons({ picture: { status, silence, epoch } }: { readonly picture: Picture }) {
  const mgrState = silence === undefined ? status.state.toLowerCase() : 'unreachable';
  return (
    <Table heads={['daemon', 'state', 'starts', 'address', 'space', 'remarks']}>
      <tr>
        <th scope="row">mgr</th>
        <td>
          <State word={mgrState} />
        </td>
        <td>{epoch.generation}</td>
        <td>{location.host}</td>
        <td>{status.hasRoom ? '' : 'its disk is full'}</td>
        <td>{displayBytes(status.residentBytes)} of memory</td>
      </tr>
      {status.members.map((member) => (
        <tr key={member.index}>
          <th scope="row">{printable(member.name)}</th>
          <td>
            <State word={member.state} isOld={silence !== undefined} />
          </td>
          <td>{member.incarnation}</td>
          <td>
            {member.port === 0
              ? 'never started'
              : formatAddress(printable(member.host), member.port)}
          </td>
          <td>
            {displayBytes(member.freeBytes)} free of {displayBytes(member.totalBytes)},{' '}
            {percent(member.freeBytes, member.totalBytes)}
          </td>
          <td>{remarksOf(member)}</td>
        </tr>
      ))}
    </Table>
  );
}

function remarksOf(member: Picture['status']['members'][number]): string {
  const { state, silentMs, quarantined } = member;
  return [
    ...(state === 'serving' ? [] : [`silent for ${humanDuration(silentMs / 1000)}`]),
    ...(quarantined > 0 ? [`${counted(quarantined, 'object')} in quarantine`] : []),
  ].join(', ');
}
