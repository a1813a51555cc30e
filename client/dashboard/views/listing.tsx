/** Entries of a directory: those that the filter lets through, so many at a time. */
import { useState } from 'preact/hooks';
import type { Dirent } from '../../stats.ts';
import { displayBytes } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';
import { Table } from './table.tsx';

/** Rows that are added at once. */
const rowsAtOnce = 1000;

interface Acts {
  readonly enter: (name: string) => void;
  readonly download: (name: string) => void;
  readonly map: (name: string) => void;
}

export function Listing({ entries, ...acts }: Acts & { readonly entries: readonly Dirent[] }) {
  const [filter, setFilter] = useState('');
  const [rows, setRows] = useState(rowsAtOnce);
  const matching = filter === '' ? entries : entries.filter(({ name }) => name.includes(filter));
  const left = matching.length - rows;
  return (
    <>
      <label>
        Filter:{' '}
        <input
          type="search"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
      </label>
      <Table heads={['name', 'size', 'modified', 'actions']}>
        {matching.slice(0, rows).map((entry) => (
          <Row key={entry.nameBytes} entry={entry} acts={acts} />
        ))}
      </Table>
      {left > 0 && (
        <button type="button" onClick={() => setRows(rows + rowsAtOnce)}>
          Show {Math.min(left, rowsAtOnce)} more of {left}
        </button>
      )}
    </>
  );
}

function Row({ entry, acts }: { readonly entry: Dirent; readonly acts: Acts }) {
  const { name, kind, stats } = entry;
  const shown = printable(name);
  return (
    <tr>
      <th scope="row">
        {entry.isDirectory() ? (
          <button type="button" class="link" onClick={() => acts.enter(name)}>
            {shown}/
          </button>
        ) : (
          shown
        )}
      </th>
      <td>{stats !== undefined && entry.isFile() ? displayBytes(stats.size) : kind}</td>
      <td>{stats?.mtime.toLocaleString()}</td>
      <td>
        {entry.isFile() && (
          <>
            <button
              type="button"
              aria-label={`Download ${shown}`}
              onClick={() => acts.download(name)}
            >
              Download
            </button>{' '}
            <button type="button" aria-label={`Map of ${shown}`} onClick={() => acts.map(name)}>
              Map
            </button>
          </>
        )}
      </td>
    </tr>
  );
}
