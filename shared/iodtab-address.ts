/**
 * One address word of an iodtab: HOST, HOST:PORT, [IPV6]:PORT, and ranges of hosts or ports.
 * Every mistake is reported with the column of the letter that makes it one.
 */
import { FsError } from './errno.ts';
import { limits } from './limits.ts';

/** Where something stands in an iodtab. Lines and columns count from 1. */
export interface Place {
  readonly fileName: string;
  readonly line: number;
  readonly column: number;
}

export interface Word extends Place {
  readonly text: string;
}

export interface Address {
  /** Lower case; IPv6 in its shortest form, without brackets. */
  readonly host: string;
  /** `undefined` when the text names none. */
  readonly port: number | undefined;
}

const portMax = 65_535;
const hostCharactersMax = 253;

/** @returns the addresses that a word stands for, hosts in order and the ports of each in order */
export function expandAddress(word: Word): readonly Address[] {
  const { host, port } = splitAddress(word);
  const ports = port === undefined ? [undefined] : expandPort(port);
  const hosts = isIpv6(host.text) ? [shortestIpv6(host.text)] : expandHost(host);
  if (hosts.length * ports.length > limits.iodsMax) {
    throw iodtabError(
      word,
      `${hosts.length} hosts with ${ports.length} ports each are too many; a table has at most ${limits.iodsMax} iods`,
    );
  }
  return hosts.flatMap((one) => ports.map((number) => ({ host: one, port: number })));
}

/** The address as it is written in an iodtab or URL: IPv6 in brackets. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @returns FsError EINVAL with `FILE:LINE:COLUMN: reason` */
export function iodtabError(
  { fileName, line, column }: Place,
  reason: string,
  id: 'WEFT_E_IODTAB' | 'WEFT_E_IODTAB_CHANGED' = 'WEFT_E_IODTAB',
): FsError {
  return new FsError('EINVAL', { id, what: `${fileName}:${line}:${column}: ${reason}` });
}

/** The text in quotes, short, and with control characters made visible. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** A part of a word, which knows its own column. */
export function part(word: Word, from: number, to?: number): Word {
  return { ...word, column: word.column + from, text: word.text.slice(from, to) };
}

interface SplitAddress {
  readonly host: Word;
  readonly port: Word | undefined;
}

function splitAddress(word: Word): SplitAddress {
  const { text } = word;
  if (/^\[[^\]]*:/.test(text)) return splitBracketed(word);
  const colon = text.indexOf(':');
  if (colon < 0) return { host: word, port: undefined };
  if (text.includes(':', colon + 1)) return splitBareIpv6(word);
  if (colon === 0) {
    throw iodtabError(word, 'the host is missing before the colon; write HOST:PORT');
  }
  return { host: part(word, 0, colon), port: part(word, colon + 1) };
}

function splitBracketed(word: Word): SplitAddress {
  const close = word.text.indexOf(']');
  if (close < 0) {
    throw iodtabError(word, 'the bracket is never closed; write [ADDRESS]:PORT');
  }
  const host = part(word, 1, close);
  if (!isIpv6(host.text)) throw noIpv6(host);
  const rest = part(word, close + 1);
  if (rest.text === '') return { host, port: undefined };
  if (rest.text.startsWith(':')) return { host, port: part(rest, 1) };
  throw iodtabError(
    rest,
    `${quoted(rest.text)} cannot follow the bracket; write [ADDRESS]:PORT, or [ADDRESS] alone`,
  );
}

/** Without brackets the last number may be a port or part of the address: guess nothing. */
function splitBareIpv6(word: Word): SplitAddress {
  const colon = word.text.lastIndexOf(':');
  const host = part(word, 0, colon);
  const port = part(word, colon + 1);
  const endsInPort = isIpv6(host.text) && /^\d+(-\d+)?$/.test(port.text);
  if (!isIpv6(word.text)) {
    if (endsInPort) return { host, port };
    throw noIpv6(word);
  }
  if (!endsInPort) return { host: word, port: undefined };
  throw iodtabError(
    word,
    `${quoted(word.text)} can be read in two ways; ` +
      `write [${word.text}], or [${host.text}]:${port.text} if ${port.text} is the port`,
  );
}

function noIpv6(word: Word): FsError {
  return iodtabError(
    word,
    `${quoted(word.text)} is neither HOST:PORT nor an IPv6 address; write IPv6 as [::1]:7301`,
  );
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f.]*:[0-9a-f:.]*$/i.test(text) && URL.canParse(`ws://[${text}]`);
}

/** Two spellings of one address must be seen to be one. */
function shortestIpv6(text: string): string {
  return new URL(`ws://[${text}]`).hostname.slice(1, -1);
}

function expandPort(word: Word): readonly number[] {
  if (word.text === '') {
    throw iodtabError(
      word,
      'the port is missing after the colon; write HOST:PORT, or HOST alone for the default port',
    );
  }
  const dash = word.text.indexOf('-');
  if (dash < 0) return [portNumber(word)];
  const first = portNumber(part(word, 0, dash));
  const last = portNumber(part(word, dash + 1));
  checkRange(word, first, last);
  return numbersBetween(first, last);
}

function portNumber(word: Word): number {
  if (!/^\d+$/.test(word.text)) {
    throw iodtabError(
      word,
      `${quoted(word.text)} is not a port; use a number from 1 to ${portMax}, ` +
        'or a range such as 7301-7304',
    );
  }
  const port = Number(word.text);
  if (port < 1 || port > portMax) {
    throw iodtabError(word, `port ${word.text} is out of range; use a number from 1 to ${portMax}`);
  }
  return port;
}

function expandHost(word: Word): readonly string[] {
  const match = /^([^[\]]*)(?:\[([^[\]]*)\]([^[\]]*))?$/.exec(word.text);
  if (match === null) {
    throw iodtabError(
      part(word, word.text.search(/[[\]]/)),
      'a host may hold one range in brackets; write it as in node[1-16]',
    );
  }
  const [, before = '', range, after = ''] = match;
  checkCharacters(part(word, 0, before.length));
  if (range === undefined) return [checkedHost(word, before)];
  checkCharacters(part(word, word.text.length - after.length));
  const from = before.length + 1;
  const numbers = expandNumbers(part(word, from, from + range.length));
  return numbers.map((number) => checkedHost(word, before + number + after));
}

function expandNumbers(word: Word): readonly string[] {
  const [, first, last] = /^(\d{1,9})-(\d{1,9})$/.exec(word.text) ?? [];
  if (first === undefined || last === undefined) {
    throw iodtabError(
      word,
      `${quoted(word.text)} is not a range; write two numbers, as in node[1-16]`,
    );
  }
  const padded = /^0\d/.test(first) || /^0\d/.test(last);
  if (padded && first.length !== last.length) {
    const width = Math.max(first.length, last.length);
    throw iodtabError(
      word,
      `the range ${word.text} mixes widths; ` +
        `write ${first.padStart(width, '0')}-${last.padStart(width, '0')}`,
    );
  }
  checkRange(word, Number(first), Number(last));
  const width = padded ? first.length : 0;
  return numbersBetween(Number(first), Number(last)).map((n) => String(n).padStart(width, '0'));
}

function checkRange(word: Word, first: number, last: number): void {
  if (last < first) {
    throw iodtabError(
      word,
      `the range ${word.text} runs backwards; write the smaller number first`,
    );
  }
  if (last - first >= limits.iodsMax) {
    throw iodtabError(
      word,
      `the range ${word.text} is too big; a table has at most ${limits.iodsMax} iods`,
    );
  }
}

function numbersBetween(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function checkCharacters(word: Word): void {
  const at = word.text.search(/[^a-z0-9._-]/i);
  if (at < 0) return;
  const [character = ''] = word.text.slice(at);
  throw iodtabError(
    part(word, at),
    `${quoted(character)} cannot be in a host name; use letters, digits, dots and hyphens`,
  );
}

/** A host is valid when a URL keeps it as it is: that is how it will be connected to. */
function checkedHost(word: Word, text: string): string {
  const host = text.toLowerCase();
  const labels = host.split('.');
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    if (urlKeeps(host)) return host;
    throw iodtabError(
      word,
      `${quoted(text)} is not an IPv4 address; use four numbers from 0 to 255, as in 127.0.0.1`,
    );
  }
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
  if (
    host.length <= hostCharactersMax &&
    labels.every((one) => label.test(one)) &&
    urlKeeps(host)
  ) {
    return host;
  }
  throw iodtabError(
    word,
    `${quoted(text)} is not a host name; its parts between dots have 1 to 63 letters, digits ` +
      `and hyphens, with no hyphen at either end, and all of it at most ${hostCharactersMax}`,
  );
}

function urlKeeps(host: string): boolean {
  return URL.canParse(`ws://${host}`) && new URL(`ws://${host}`).hostname === host;
}
