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
  openTimesOf,
  openFilesOf,
  pathOf,
} from '../../observing/presence.ts';
import { remotePath } from '../remote-path.ts';
import { printable } from '../../observing/shown-text.ts';
import { sessionJson, whereabouts } from './sessions.ts';

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
              ['holders', 'writers', 'file'],
              ...files.map(({ handle, path, holders, writers }) => [
                String(holders),
                String(writers),
                path === null ? `(removed, handle ${handle})` : printable(path),
              ]),
            ],
            ['right', 'right', 'left'],
          ),
    );
    return;
  }
  const path = remotePath(name);
  const handle = await handleOf(asking, path);
  const holders = await holdersOf(asking, handle);
  const times = await openTimesOf(asking, handle);
  const sinceOf = ({ by }: HolderRecord): string | null => {
    const seconds = times.get(by.session) ?? 0;
    return seconds === 0 ? null : new Date(seconds * 1000).toISOString();
  };
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
  const files = [];
  for (const file of await openFilesOf(asking)) {
    files.push({ ...file, path: (await pathOf(asking, file.handle)) ?? null });
  }
  return files;
}
