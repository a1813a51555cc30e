/** From what callers of `node:fs` give to what the library takes. */
import { constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import type { TimeLike } from '../attributes.ts';
import { checkInt32, checkSignal, checkUint32, isObject, type Options } from './checks.ts';
import { invalidArgType, invalidArgValue, invalidMode } from './node-errors.ts';

export type PathArgument = string | Uint8Array;

/** @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (NUL), and as `fileURLToPath` */
export function pathOf(value: unknown, name = 'path'): PathArgument {
  const path = value instanceof URL ? fileURLToPath(value) : value;
  if (typeof path !== 'string' && !(path instanceof Uint8Array)) {
    throw invalidArgType(name, 'of type string or an instance of Buffer or URL', path);
  }
  const hasNul = typeof path === 'string' ? path.includes('\0') : path.includes(0);
  if (!hasNul) return path;
  throw invalidArgValue(name, path, 'must be a string, Uint8Array, or URL without null bytes');
}

/** Text as an option stands for the encoding. @throws TypeError for what is neither */
export function optionsOf(value: unknown, defaults: Options = {}): Options {
  if (value === undefined || value === null || typeof value === 'function') return defaults;
  const options = typeof value === 'string' ? { ...defaults, encoding: value } : value;
  if (typeof options !== 'object') {
    throw invalidArgType('options', 'one of type string or object', options);
  }
  const { encoding, signal } = options as Options;
  if (encoding !== 'buffer') checkEncoding(encoding);
  if (signal !== undefined) checkSignal(signal, 'options.signal');
  return options as Options;
}

function checkEncoding(encoding: unknown): void {
  if (Boolean(encoding) && !Buffer.isEncoding(String(encoding))) {
    throw invalidArgValue('encoding', encoding, 'is invalid encoding');
  }
}

/** The encoding of content; `undefined`, as `'buffer'`, asks for bytes. */
export function encodingOf({ encoding }: Options): BufferEncoding | undefined {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : undefined;
}

export function signalOf({ signal }: Options): AbortSignal | undefined {
  return signal as AbortSignal | undefined;
}

export function wantsBigInt(options: unknown): boolean {
  return isObject(options) && options['bigint'] === true;
}

/** Permission bits: a number, or digits in octal. */
export function modeOf(value: unknown, name = 'mode', preset?: number): number {
  const given = value ?? preset;
  const octal = typeof given === 'string' && /^[0-7]+$/.test(given);
  if (typeof given === 'string' && !octal) {
    const reason = 'must be a 32-bit unsigned integer or an octal string';
    throw invalidArgValue(name, given, reason);
  }
  const mode = octal ? Number.parseInt(given, 8) : given;
  checkUint32(mode, name);
  return mode;
}

/** Three bits, of `access` and `copyFile`. */
export function smallModeOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || Math.trunc(value) < 0 || value >= 8) throw invalidMode(value);
  return Math.trunc(value);
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const append = O_APPEND | O_CREAT;
const replace = O_TRUNC | O_CREAT;
/** By letters in the order of the alphabet: `wx+` is the same as `xw+`. */
const flagBits = new Map([
  ['r', O_RDONLY],
  ['rs', O_RDONLY | O_SYNC],
  ['r+', O_RDWR],
  ['rs+', O_RDWR | O_SYNC],
  ['w', replace | O_WRONLY],
  ['wx', replace | O_WRONLY | O_EXCL],
  ['w+', replace | O_RDWR],
  ['wx+', replace | O_RDWR | O_EXCL],
  ['a', append | O_WRONLY],
  ['ax', append | O_WRONLY | O_EXCL],
  ['as', append | O_WRONLY | O_SYNC],
  ['a+', append | O_RDWR],
  ['ax+', append | O_RDWR | O_EXCL],
  ['as+', append | O_RDWR | O_SYNC],
]);

/** @returns bits of open(2) */
export function openFlagsOf(value: unknown, name = 'flags'): number {
  if (typeof value === 'number') {
    checkInt32(value, name);
    return value;
  }
  if (value === undefined || value === null) return O_RDONLY;
  const word = typeof value === 'string' ? value.replace(/^([sx])([rwa])/, '$2$1') : '';
  const bits = flagBits.get(word);
  if (bits === undefined) throw invalidArgValue('flags', value);
  return bits;
}

/** Seconds, digits, or a Date; what lies before 1970 is now, as in Node. */
export function timeOf(value: unknown, name = 'time'): TimeLike {
  if (types.isDate(value)) return value;
  // A text that equals its number: also `' 5 '`, but not `'x'`.
  const seconds = typeof value === 'string' && !Number.isNaN(Number(value)) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
    throw invalidArgType(name, 'an instance of Date or an Time in seconds', value);
  }
  return seconds < 0 ? 'now' : seconds;
}

/** A directory and a name in it; one of them in bytes makes both bytes. */
export function joined(directory: PathArgument, name: PathArgument): PathArgument {
  if (typeof directory === 'string' && typeof name === 'string') {
    return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
  }
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), Buffer.from(name)]);
}
