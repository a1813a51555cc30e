/** `weft df`: space of the whole and of each iod. */
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { humanBytes, percent } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const fs = await fileSystem();
  const [space, members] = await Promise.all([fs.statfs(), fs.members()]);
  const { totalBytes, freeBytes, files, partial } = space;
  const size = given.flag('human')
    ? humanBytes
    : (bytes: number) => String(Math.ceil(bytes / 1024));
  const row = (name: string, total: number, free: number): string[] => [
    name,
    size(total),
    size(total - free),
    size(free),
    percent(total - free, total),
  ];
  const iods = members.map(({ index, name, state, totalBytes: total, freeBytes: free }) => ({
    index,
    name,
    state,
    totalBytes: total,
    freeBytes: free,
  }));
  output.result(
    { totalBytes, freeBytes, usedBytes: totalBytes - freeBytes, files, partial, iods },
    () =>
      alignRows(
        [
          ['', given.flag('human') ? 'Size' : '1K-blocks', 'Used', 'Available', 'Use%'],
          ...iods.map((iod) => row(printable(iod.name), iod.totalBytes, iod.freeBytes)),
          row('weft:/', totalBytes, freeBytes),
        ],
        ['left', 'right', 'right', 'right', 'right'],
      ),
  );
  const isShared = !partial && totalBytes < iods.reduce((sum, iod) => sum + iod.totalBytes, 0);
  if (isShared) output.remark('weft: a disk that several iods have is counted once');
  if (partial) output.remark('weft: an iod could not be counted; weft status names it');
};
