/** `weft where`: which iod holds which bytes of a file. */
import { columnOf, iodOfColumn, toLocal } from '../../../shared/stripe.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { CommandError } from '../failure.ts';
import { humanBytes, percent } from '../../../shared/figures.ts';
import { remotePath } from '../remote-path.ts';
import { printable } from '../../observing/shown-text.ts';
import { sharesOf } from '../../observing/stripe-shares.ts';
import { drawStripes } from '../stripe-picture.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const path = remotePath(given.operand(0));
  const offset = given.bytes('offset');
  const fs = await fileSystem();
  const [stats, members] = await Promise.all([fs.stat(path), fs.members()]);
  const { layout, size, ino: handle, place } = stats;
  if (layout === undefined) {
    throw new CommandError('EINVAL', `'${path}' is a ${stats.kind}: it has no bytes on iods`, {
      advice: 'name a file',
      path,
    });
  }
  if (place !== 'iods') {
    const what = `${printable(path)}: ${humanBytes(size)} in the store of the mgr`;
    output.result({ path, handle, size, layout, place, iods: [] }, () => [what]);
    return;
  }
  const nameOf = (index: number): string =>
    printable(members.find((member) => member.index === index)?.name ?? `iod ${index}`);
  const iods = sharesOf(layout, size).map((share) => ({ ...share, name: nameOf(share.index) }));
  const at =
    offset === undefined
      ? undefined
      : {
          offset,
          iod: nameOf(iodOfColumn(layout, columnOf(layout, offset))),
          ...toLocal(layout, offset),
        };
  output.result({ path, handle, size, layout, place, iods, ...(at && { at }) }, () => {
    const { pcount, ssize, base } = layout;
    const stripes = `stripes of ${humanBytes(ssize)} over ${pcount} of ${layout.total} iods`;
    const title = `${printable(path)}: ${humanBytes(size)} in ${stripes}, from ${nameOf(base)} on`;
    if (at !== undefined) {
      return `byte ${at.offset} is on ${at.iod}, byte ${at.localOffset} of its object ${handle}`;
    }
    if (given.flag('draw')) {
      const colored = output.paint('bold', 'x') !== 'x';
      return [title, '', ...drawStripes(layout, size, { width: output.width, colored, nameOf })];
    }
    const rows = iods.map(({ name, column, bytes, stripes: count }) => [
      name,
      String(column),
      // Columns behind the end of a short file begin nowhere.
      count === 0 ? '-' : String(column * ssize),
      String(count),
      humanBytes(bytes),
      percent(bytes, size),
    ]);
    const heads = ['iod', 'column', 'first byte', 'stripes', 'bytes', 'share'];
    return [title, ...alignRows([heads, ...rows], ['left', ...heads.map(() => 'right' as const)])];
  });
};
