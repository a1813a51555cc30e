/** Which bytes of a file are on which iod, and whether they can be reached now. */
import type { Layout } from '../../../shared/stripe.ts';
import type { Member } from '../../../shared/wire/values.ts';
import { counted, displayBytes, percent } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';
import { commands } from '../model/commands.ts';
import { type MapShare, stripeMap } from '../model/stripe-map.ts';
import { Command } from './command.tsx';
import { State } from './state.tsx';
import { Table } from './table.tsx';

const colors = 6;

export interface MappedFile {
  readonly path: string;
  readonly size: number;
  readonly layout: Layout;
  /** The mgr has them, and no iod. */
  readonly isAtMgr: boolean;
}

/** Of a small file there is nothing to draw. */
export function Stripes(props: Parameters<typeof StripesOnIods>[0]) {
  const { path, size, isAtMgr } = props.file;
  if (!isAtMgr) return <StripesOnIods {...props} />;
  return (
    <section aria-labelledby="stripes" class="stripes">
      <h2 id="stripes">Stripes of {printable(path)}</h2>
      <p role="status">{displayBytes(size)} in the store of the mgr, and on no iod.</p>
      <Command line={commands.where(path)} />
      <button type="button" onClick={props.close}>
        Close the map
      </button>
    </section>
  );
}

function StripesOnIods(props: {
  readonly file: MappedFile;
  readonly members: readonly Member[];
  readonly close: () => void;
}) {
  const { path, size, layout } = props.file;
  const { cells, more, shares, awayBytes } = stripeMap(layout, size, props.members);
  const summary =
    awayBytes === 0
      ? 'All of it can be read.'
      : `${displayBytes(awayBytes)} (${percent(awayBytes, size)}) are away: who reads them waits.`;
  return (
    <section aria-labelledby="stripes" class="stripes">
      <h2 id="stripes">Stripes of {printable(path)}</h2>
      <p role="status" class={awayBytes === 0 ? '' : 'bad'}>
        {displayBytes(size)} in stripes of {displayBytes(layout.ssize)} over{' '}
        {counted(layout.pcount, 'iod')}. {summary}
      </p>
      <div
        class="cells"
        role="img"
        aria-label={`each stripe with the number of its iod. ${summary}`}
      >
        {cells.map(({ from, to, iod, healthy }) => (
          <span
            key={from}
            class={`cell color${iod % colors}${healthy ? '' : ' away'}`}
            title={`bytes ${from} to ${to - 1}: iod ${iod}${healthy ? '' : ', away'}`}
          >
            {healthy ? iod : '×'}
          </span>
        ))}
        {more > 0 && (
          <span class="more">… and {counted(more, 'stripe')} more in the same order</span>
        )}
      </div>
      <Shares shares={shares} size={size} />
      <Command line={commands.where(path)} />
      <button type="button" onClick={props.close}>
        Close the map
      </button>
    </section>
  );
}

function Shares({ shares, size }: { readonly shares: readonly MapShare[]; readonly size: number }) {
  return (
    <Table heads={['iod', 'state', 'bytes', 'share', 'stripes']}>
      {shares.map(({ iod, name, state, bytes, stripes }) => (
        <tr key={iod}>
          <th scope="row">
            <i class={`swatch color${iod % colors}`} aria-hidden="true" /> {iod}: {printable(name)}
          </th>
          <td>
            <State word={state} />
          </td>
          <td>{displayBytes(bytes)}</td>
          <td>{percent(bytes, size)}</td>
          <td>{stripes}</td>
        </tr>
      ))}
    </Table>
  );
}
