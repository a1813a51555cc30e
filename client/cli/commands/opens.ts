/** `weft opens`: which files are open; or who has one file open, and from where. */
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { counted } from '../../../shared/figures.ts';
import {
  askingBy,
  type Asking,
  handleOf,
  type HolderRecord,
  holdersOf,
  openSince,
  openTimesOf,
  openFilesOf,
  pathOf,
} from '../../observing/presence.ts';
import { remotePath } from '../remote-path.ts';
import { printable } from '../../observing/shown-text.ts';
import { sessionJson, whereabouts } from './sessions.ts';

/** Files of which the mgr is asked at the same time. */
const askedAtOnce = 128;

export const run: Run = async ({ operands: [name] }, context) => {
  const { output, fileSystem, connectOptions } = context;
  const fs = await fileSystem();
  const asking = askingBy(fs, connectOptions);
  if (name === undefined) {
    const files = await openFiles(asking);
    output.result({ files }, () =>
      files.length === 0
        ? 'nothing is open'
        : alignRows(
            [
              ['holders', 'writers', 'since', 'file'],
              ...files.map(({ handle, path, holders, writers, since }) => [
                String(holders),
                String(writers),
                since ?? 'nobody knows when',
                path === null ? `(removed, handle ${handle})` : printable(path),
              ]),
            ],
            ['right', 'right', 'left', 'left'],
          ),
    );
    return;
  }
  const path = remotePath(name);
  const handle = await handleOf(asking, path);
  const holders = await holdersOf(asking, handle);
  const times = await openTimesOf(asking, handle);
  const sinceOf = ({ by }: HolderRecord): string | null => timeText(times.get(by.session));
  const { paint } = output;
  output.result(
    {
      path,
      handle,
      holders: holders.map((holder) => {
        const { by, ...opens } = holder;
        return { ...sessionJson(by), ...opens, since: sinceOf(holder) };
      }),
    },
    () => [
      `${printable(path)}: open in ${counted(holders.length, 'session')}`,
      ...alignRows(
        holders.map((holder) => {
          const { by, readers, writers } = holder;
          return [
            `session ${by.session}`,
            printable(by.name),
            whereabouts(by, paint),
            [counted(readers, 'reader'), counted(writers, 'writer')].join(', '),
            `since ${sinceOf(holder) ?? 'nobody knows when'}`,
          ];
        }),
      ),
    ],
  );
};

async function openFiles(asking: Asking) {
  const all = await openFilesOf(asking);
  const files = [];
  for (let first = 0; first < all.length; first += askedAtOnce) {
    const some = all.slice(first, first + askedAtOnce).map(async (file) => {
      const { handle } = file;
      const [path, since] = await Promise.all([pathOf(asking, handle), openSince(asking, handle)]);
      return { ...file, path: path ?? null, since: timeText(since) };
    });
    files.push(...(await Promise.all(some)));
  }
  return files;
}

/** @param seconds since 1970; 0 or `undefined`: nobody knows */
function timeText(seconds = 0): string | null {
  return seconds === 0 ? null : new Date(seconds * 1000).toISOString();
}
