/**
 * The iodtab: text to the table of iods and back. PVFS's format (a HOST or HOST:PORT a line, the
 * order is the iod number, `#` comments) with ranges, names, and a line for the mgr. Pure.
 */
import assert from 'node:assert/strict';
import { isFsError } from './errno.ts';
import {
  type Address,
  expandAddress,
  formatAddress,
  iodtabError,
  part,
  type Place,
  quoted,
  type Word,
} from './iodtab-address.ts';
import { limits } from './limits.ts';
import type { IodIndex } from './units.ts';

export const mgrPortDefault = 7300;
export const iodPortDefault = 7301;

export interface ListedMgr {
  readonly host: string;
  readonly port: number;
}

export interface ListedIod {
  readonly index: IodIndex;
  /** Where the table gives none, `iod0`, `iod1` … by position. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface MgrEntry extends ListedMgr, Place {}
/** An iod and where it is listed; the addresses of a range share a place. */
export interface IodEntry extends ListedIod, Place {}

export interface Iodtab {
  /** `undefined` when no line names it. */
  readonly mgr: MgrEntry | undefined;
  /** By index; at least one. */
  readonly iods: readonly IodEntry[];
}

/** @throws FsError EINVAL, WEFT_E_IODTAB, that says `FILE:LINE:COLUMN: reason` */
export function parseIodtab(text: string, fileName: string): Iodtab {
  let mgr: MgrEntry | undefined;
  const iods: IodEntry[] = [];
  for (const [first, ...rest] of wordsByLine(text, fileName)) {
    if (first === undefined) continue;
    if (first.text.toLowerCase() === 'mgr') {
      if (mgr !== undefined) {
        throw iodtabError(first, `the mgr is listed in line ${mgr.line} already; keep one of them`);
      }
      mgr = parseMgr(first, rest);
    } else {
      iods.push(...parseIods(first, rest, iods.length));
      if (iods.length > limits.iodsMax) {
        throw iodtabError(first, `a table holds at most ${limits.iodsMax} iods; remove some`);
      }
    }
  }
  if (iods.length === 0) {
    const top: Place = { fileName, line: 1, column: 1 };
    throw iodtabError(top, 'no iod is listed; write one a line, as in 127.0.0.1:7301');
  }
  checkDuplicates(mgr, iods);
  return { mgr, iods };
}

/** @returns a text that `parseIodtab` reads as the same table, one iod a line */
export function formatIodtab(table: {
  readonly mgr: ListedMgr | undefined;
  readonly iods: readonly ListedIod[];
}): string {
  const mgr = table.mgr === undefined ? [] : [`mgr ${addressOf(table.mgr)}\n`];
  const iods = table.iods.map((iod) =>
    iod.name === defaultName(iod.index)
      ? `${addressOf(iod)}\n`
      : `${addressOf(iod)} name=${iod.name}\n`,
  );
  return [...mgr, ...iods].join('');
}

/**
 * Tells whether `next` may follow `old` while there are files: their layouts name iods by
 * position, so a position must stay the same iod for ever (SCENARIOS 247, 248). New iods at the
 * end are fine, and so is an iod that keeps its name at another address, or its address under
 * another name.
 * @throws FsError EINVAL, WEFT_E_IODTAB_CHANGED
 */
export function compareIodtabs(old: readonly ListedIod[], next: Iodtab): void {
  const oldByAddress = new Map(old.map((iod) => [addressOf(iod), iod]));
  const nextByName = new Map(next.iods.map((iod) => [iod.name, iod]));
  for (const was of old) {
    const is = next.iods[was.index];
    if (is === undefined) {
      const last = next.iods.at(-1);
      assert(last !== undefined, 'a table without iods was parsed');
      throw changed(last, `${describe(was)} is gone, and files may have stripes there`);
    }
    const renamed = is.name !== was.name;
    const moved = addressOf(is) !== addressOf(was);
    const elsewhere = nextByName.get(was.name);
    if (renamed && elsewhere !== undefined) {
      throw changed(elsewhere, `${describe(was)} became number ${elsewhere.index}`);
    }
    if (renamed && moved) {
      throw changed(is, `${describe(was)} was replaced; if it has moved, keep its name`);
    }
    // A default name follows the position and proves nothing: only the address can tell.
    const owner = oldByAddress.get(addressOf(is));
    if (moved && is.name === defaultName(is.index) && owner !== undefined) {
      throw changed(is, `${describe(owner)} became number ${is.index}`);
    }
  }
}

/**
 * Looks up every host, so that an unknown one is found before anything starts, and with its line:
 * PVFS took it for address 0.0.0.0.
 * @throws FsError EINVAL, WEFT_E_IODTAB
 */
export async function checkIodtabHosts(
  { mgr, iods }: Iodtab,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<void> {
  const firstPlaces = new Map<string, Place>();
  for (const entry of mgr === undefined ? iods : [mgr, ...iods]) {
    if (!firstPlaces.has(entry.host)) firstPlaces.set(entry.host, entry);
  }
  await Promise.all([...firstPlaces].map(([host, place]) => checkHost(host, place, resolve)));
}

async function checkHost(
  host: string,
  place: Place,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<void> {
  let reason = 'it has no address';
  try {
    if ((await resolve(host)).length > 0) return;
  } catch (error: unknown) {
    if (!isFsError(error)) throw error;
    reason = error.message;
  }
  throw iodtabError(
    place,
    `host ${quoted(host)} cannot be found (${reason}); correct it, or write a numeric address`,
  );
}

/** Words of each line that has some, comments cut off. */
function wordsByLine(text: string, fileName: string): readonly (readonly Word[])[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  return lines.map((line, at) => {
    const [content = ''] = line.split('#', 1);
    return [...content.matchAll(/\S+/g)].map((match) => ({
      fileName,
      line: at + 1,
      column: match.index + 1,
      text: match[0],
    }));
  });
}

function parseMgr(keyword: Word, [word, surplus]: readonly Word[]): MgrEntry {
  if (word === undefined) {
    throw iodtabError(
      keyword,
      'the address of the mgr is missing; write mgr HOST:PORT, ' +
        `or mgr:${iodPortDefault} for an iod on a host of that name`,
    );
  }
  if (surplus !== undefined) {
    throw iodtabError(surplus, `${quoted(surplus.text)} is too much; write mgr HOST:PORT alone`);
  }
  const [address, ...others] = expandAddress(word);
  if (address === undefined || others.length > 0) {
    throw iodtabError(word, 'a file system has one mgr; write one address, not a range');
  }
  return { ...listed(address, mgrPortDefault), ...placeOf(word) };
}

function parseIods(word: Word, rest: readonly Word[], firstIndex: number): readonly IodEntry[] {
  const addresses = expandAddress(word);
  const name = parseName(rest);
  return addresses.map((address, i) => {
    const index = (firstIndex + i) as IodIndex;
    const ownName = name !== undefined && addresses.length > 1 ? `${name}${i}` : name;
    return {
      index,
      name: ownName ?? defaultName(index),
      ...listed(address, iodPortDefault),
      ...placeOf(word),
    };
  });
}

const nameCharactersMax = 64;

/** What may follow the address of an iod: NAME or name=NAME. */
function parseName([word, surplus]: readonly Word[]): string | undefined {
  if (word === undefined) return undefined;
  if (surplus !== undefined) {
    throw iodtabError(
      surplus,
      `${quoted(surplus.text)} is too much; an address may be followed by one name, ` +
        'a name has no spaces, and each iod has a line of its own',
    );
  }
  const equals = word.text.indexOf('=');
  const key = word.text.slice(0, Math.max(equals, 0));
  if (equals >= 0 && key !== 'name') {
    throw iodtabError(word, `there is no option ${quoted(key)}; the only one is name=NAME`);
  }
  const name = part(word, equals + 1);
  if (name.text.length <= nameCharactersMax && /^[a-z0-9][a-z0-9._-]*$/i.test(name.text)) {
    return name.text;
  }
  throw iodtabError(
    name,
    `${quoted(name.text)} is not a name; use 1 to ${nameCharactersMax} letters, digits, dots, ` +
      'hyphens and underscores, a letter or digit first',
  );
}

/** Two lines that are one daemon would put two columns of a file on one disk. */
function checkDuplicates(mgr: MgrEntry | undefined, iods: readonly IodEntry[]): void {
  const owners = new Map<string, string>();
  if (mgr !== undefined) owners.set(addressOf(mgr), `the mgr in line ${mgr.line}`);
  const names = new Map<string, IodEntry>();
  for (const iod of iods) {
    const address = addressOf(iod);
    const owner = owners.get(address);
    if (owner !== undefined) {
      throw iodtabError(
        iod,
        `${address} is ${owner} already; ` +
          `give each daemon of a host a port of its own, as in ${freeAddress(iod, owners)}`,
      );
    }
    owners.set(address, `iod ${iod.index} in line ${iod.line}`);
    const namesake = names.get(iod.name);
    if (namesake !== undefined) {
      throw iodtabError(
        iod,
        `${quoted(iod.name)} is iod ${namesake.index} in line ${namesake.line} already; ` +
          'give each iod a name of its own',
      );
    }
    names.set(iod.name, iod);
  }
}

function freeAddress({ host, port }: ListedIod, taken: ReadonlyMap<string, string>): string {
  let free = port;
  while (taken.has(formatAddress(host, free))) free = (free % 65_535) + 1;
  return formatAddress(host, free);
}

function changed(place: Place, reason: string): Error {
  const advice = 'put the lines back in their order, and new iods at the end';
  return iodtabError(place, `${reason}; ${advice}`, 'WEFT_E_IODTAB_CHANGED');
}

function describe(iod: ListedIod): string {
  return `iod ${iod.index} ${quoted(iod.name)} at ${addressOf(iod)}`;
}

function defaultName(index: IodIndex): string {
  return `iod${index}`;
}

function addressOf({ host, port }: ListedMgr): string {
  return formatAddress(host, port);
}

function listed({ host, port }: Address, portDefault: number): ListedMgr {
  return { host, port: port ?? portDefault };
}

function placeOf({ fileName, line, column }: Word): Place {
  return { fileName, line, column };
}
