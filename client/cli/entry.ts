/** A file as `ls` and `stat` show it: as an object, as the columns of a long listing. */
import type { ByteString } from '../../shared/units.ts';
import type { InodeKind } from '../../shared/wire/values.ts';
import type { Stats } from '../stats.ts';
import type { Color, Paint } from './colors.ts';
import { humanBytes, twoDigits } from '../../shared/figures.ts';
import type { JsonObject } from './output.ts';
import { isText, shownName } from '../observing/shown-text.ts';

export interface Entry {
  /** Name or path, as the bytes they are. */
  readonly name: ByteString;
  readonly stats: Stats;
  /** Symbolic links: where to, as the bytes it was made of. */
  readonly target: Uint8Array | undefined;
}

/** All that is known of a file, for programs. A path that is no UTF-8 comes as bytes too. */
export function entryJson(path: ByteString, { stats, target }: Entry): JsonObject {
  return {
    path: Buffer.from(path, 'latin1').toString('utf8'),
    ...(!isText(path) && { pathBase64: Buffer.from(path, 'latin1').toString('base64') }),
    kind: stats.kind,
    handle: stats.ino,
    mode: octal(stats.mode),
    links: stats.nlink,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    sizeExact: stats.sizeExact,
    accessed: new Date(stats.atimeMs).toISOString(),
    modified: new Date(stats.mtimeMs).toISOString(),
    changed: new Date(stats.ctimeMs).toISOString(),
    born: new Date(stats.birthtimeMs).toISOString(),
    ...(stats.layout !== undefined && { layout: stats.layout }),
    ...(target !== undefined && { target: Buffer.from(target).toString('utf8') }),
  };
}

/** Cells of `ls -l`: mode, links, uid, gid, size, time, name. */
export function longCells(
  { name, stats, target }: Entry,
  options: { readonly human: boolean; readonly paint: Paint; readonly now: Date },
): string[] {
  const { human, paint, now } = options;
  const link = target === undefined ? '' : ` -> ${shownName(target)}`;
  const size = human ? humanBytes(stats.size) : String(stats.size);
  return [
    modeText(stats.kind, stats.mode),
    String(stats.nlink),
    String(stats.uid),
    String(stats.gid),
    // A size that an iod could not be asked for is the least that it can be.
    stats.sizeExact ? size : `>=${size}`,
    timeText(new Date(stats.mtimeMs), now),
    `${paintedName(name, stats, paint)}${link}`,
  ];
}

export function paintedName(name: ByteString, stats: Stats, paint: Paint): string {
  const color = stats.isFile() && (stats.mode & 0o111) !== 0 ? 'green' : kindColors[stats.kind];
  return color === undefined ? shownName(name) : paint(color, shownName(name));
}

const kindColors: Readonly<Partial<Record<InodeKind, Color>>> = {
  directory: 'blue',
  symlink: 'cyan',
  fifo: 'yellow',
  socket: 'magenta',
  character: 'yellow',
  block: 'yellow',
};

const kindLetters: Readonly<Record<InodeKind, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  character: 'c',
  block: 'b',
};

/** `drwxr-sr-t`. */
export function modeText(kind: InodeKind, mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const execute = (bits & 1) !== 0;
    const last =
      (mode & special) === 0 ? (execute ? 'x' : '-') : execute ? letter : letter.toUpperCase();
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
  };
  return (
    kindLetters[kind] + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't')
  );
}

export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const halfYearMs = 183 * 24 * 3600 * 1000;

/** As ls(1): the hour of what changed within half a year, the year of the rest. */
export function timeText(time: Date, now: Date): string {
  const age = now.getTime() - time.getTime();
  const day = `${months[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  const recent = age < halfYearMs && age > -halfYearMs;
  const tail = recent
    ? `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`
    : time.getFullYear();
  return `${day} ${String(tail).padStart(5)}`;
}
