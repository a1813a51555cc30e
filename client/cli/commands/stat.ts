/** `weft stat`: all attributes of a file. */
import { byteString } from '../../../shared/units.ts';
import type { Timestamp } from '../../../shared/units.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { eachPath, verdict } from '../each-path.ts';
import { type Entry, entryJson, modeText, octal } from '../entry.ts';
import { printable, shownName } from '../../observing/shown-text.ts';

export const run: Run = async (given, { output, fileSystem }) => {
  const fs = await fileSystem();
  const { failures } = await eachPath(given.operands, output, async (path) => {
    const stats = given.flag('dereference') ? await fs.stat(path) : await fs.lstat(path);
    const target = stats.isSymbolicLink() ? await fs.readlinkBytes(path) : undefined;
    const entry: Entry = { name: byteString(path), stats, target };
    output.result(entryJson(entry.name, entry), () => statLines(path, entry));
  });
  for (const error of failures) output.object({ error });
  return verdict(failures);
};

function statLines(path: string, { stats, target }: Entry): readonly string[] {
  const { layout } = stats;
  return alignRows([
    ['path', `${printable(path)}${target === undefined ? '' : ` -> ${shownName(target)}`}`],
    ['kind', `${stats.kind}, handle ${stats.ino}, ${stats.nlink} links`],
    ['size', `${stats.size}${stats.sizeExact ? '' : ' or more: an iod could not be asked'}`],
    ['mode', `${octal(stats.mode)} ${modeText(stats.kind, stats.mode)}`],
    ['owner', `uid ${stats.uid}, gid ${stats.gid}`],
    ...(layout === undefined
      ? []
      : [
          [
            'layout',
            `base ${layout.base}, pcount ${layout.pcount}, ssize ${layout.ssize}, of ${layout.total} iods`,
          ],
        ]),
    ['accessed', exactTime(stats.accessed)],
    ['modified', exactTime(stats.modified)],
    ['changed', exactTime(stats.changed)],
    ['born', exactTime(stats.born)],
  ]);
}

function exactTime({ seconds, nanoseconds }: Timestamp): string {
  const whole = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, '');
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`;
}
