/** Who is connected, and what is open. */
import { useEffect, useState } from 'preact/hooks';
import { toFsError } from '../../../shared/errno.ts';
import type { PageFileSystem } from '../../browser/connect.ts';
import { counted, humanDuration } from '../../../shared/figures.ts';
import {
  askingBy,
  type OpenFileRecord,
  openFilesOf,
  openSince,
  pathOf,
  type SessionRecord,
  sessionsOf,
} from '../../observing/presence.ts';
import { printable } from '../../observing/shown-text.ts';
import type { ViewProps } from '../watch.ts';
import { Command } from './command.tsx';
import { Table } from './table.tsx';

/** What is shown of more. */
const rowsMax = 200;
const betweenLooksMs = 2000;

interface Presence {
  readonly sessions: readonly SessionRecord[];
  readonly files: readonly OpenFileRecord[];
  /** Of the files that are shown. */
  readonly paths: readonly (string | undefined)[];
  readonly since: readonly (number | undefined)[];
}

export function Clients({ fs, self }: ViewProps) {
  const [presence, failure] = usePresence(fs);
  const { sessions = [], files = [], paths = [], since = [] } = presence ?? {};
  return (
    <>
      {failure !== '' && <p role="alert">{failure}</p>}
      <section aria-labelledby="sessions">
        <h2 id="sessions">{counted(sessions.length, 'session')}</h2>
        <Table heads={['session', 'client', 'user', 'from', 'open']}>
          <Rows
            rows={sessions
              .slice(0, rowsMax)
              .map((session) => [
                String(session.session),
                `${printable(session.name)}${session.session === self.id ? ' (this page)' : ''}`,
                `${session.uid}:${session.gid}`,
                whereabouts(session),
                String(session.opens),
              ])}
          />
        </Table>
        <Command line="weft sessions" />
      </section>
      <section aria-labelledby="opens">
        <h2 id="opens">{counted(files.length, 'open file')}</h2>
        {files.length > 0 && (
          <Table heads={['file', 'holders', 'writers', 'since']}>
            <Rows
              rows={files.slice(0, rowsMax).map(({ handle, holders, writers }, i) => {
                const path = paths[i];
                const name = path === undefined ? `(removed, handle ${handle})` : printable(path);
                const at = since[i];
                const time = at === undefined ? '?' : new Date(at * 1000).toLocaleString();
                return [name, String(holders), String(writers), time];
              })}
            />
          </Table>
        )}
        {files.length > rowsMax && <p>The first {rowsMax} are shown.</p>}
        <Command line="weft opens" />
      </section>
    </>
  );
}

function whereabouts({ host, leftMs }: SessionRecord): string {
  if (host !== undefined) return printable(host);
  return leftMs === undefined ? 'ending' : `away, ends in ${humanDuration(leftMs / 1000)}`;
}

function usePresence(fs: PageFileSystem): [Presence | undefined, string] {
  const [presence, setPresence] = useState<Presence>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const look = async (): Promise<void> => {
      try {
        setPresence(await presenceOf(fs));
        setFailure('');
      } catch (error) {
        setFailure(toFsError(error).message);
      }
      if (!isOver) timer = window.setTimeout(() => void look(), betweenLooksMs);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [fs]);
  return [presence, failure];
}

async function presenceOf(fs: PageFileSystem): Promise<Presence> {
  const asking = askingBy(fs, { callDeadlineMs: 5000 });
  const [sessions, files] = await Promise.all([sessionsOf(asking), openFilesOf(asking)]);
  const shown = files.slice(0, rowsMax);
  const [paths, since] = await Promise.all([
    Promise.all(shown.map(({ handle }) => pathOf(asking, handle))),
    Promise.all(shown.map(({ handle }) => openSince(asking, handle))),
  ]);
  return { sessions, files, paths, since };
}

function Rows({ rows }: { readonly rows: readonly (readonly string[])[] }) {
  return (
    <>
      {rows.map((cells, row) => (
        <tr key={row}>
          {cells.map((cell, column) => (
            <td key={column}>{cell}</td>
          ))}
        </tr>
      ))}
    </>
  );
}
