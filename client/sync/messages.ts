/**
 * What goes between the thread that waits and the one that works: calls, results and failures as
 * plain data, made again into the classes of `node:fs` on arrival. Pure.
 */
import { types } from 'node:util';
import { FsError } from '../../shared/errno.ts';
import { BigIntStats } from '../node-fs/big-int-stats.ts';
import { Dirent } from '../node-fs/dirent.ts';
import { Stats } from '../stats.ts';

export interface CallMessage {
  readonly method: string;
  readonly args: readonly Sent[];
}

export type ReplyMessage = { readonly result: Sent } | { readonly failure: Sent };

/** A value that a structured clone can take, marked where its class would be lost. */
export type Sent =
  | { readonly is: 'plain'; readonly value: unknown }
  | { readonly is: 'bytes'; readonly value: Uint8Array }
  | { readonly is: 'url'; readonly value: string }
  | { readonly is: 'list'; readonly value: readonly Sent[] }
  | { readonly is: 'fields'; readonly value: Readonly<Record<string, Sent>> }
  | {
      readonly is: 'instance';
      readonly of: ClassName;
      readonly value: Readonly<Record<string, Sent>>;
    }
  | {
      readonly is: 'error';
      readonly of: ErrorClass;
      readonly message: string;
      readonly value: Readonly<Record<string, Sent>>;
    };

const classes = { Stats, BigIntStats, Dirent } as const;
type ClassName = keyof typeof classes;
const errorClasses = { FsError, TypeError, RangeError, Error } as const;
type ErrorClass = keyof typeof errorClasses;

/** @throws TypeError for what cannot leave its thread: functions, symbols */
export function toSent(value: unknown): Sent {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`a ${typeof value} cannot be given to a synchronous call`);
  }
  if (typeof value !== 'object' || value === null) return { is: 'plain', value };
  // A view would take all of the memory below it along.
  if (value instanceof Uint8Array) return { is: 'bytes', value: new Uint8Array(value) };
  if (ArrayBuffer.isView(value)) {
    return { is: 'bytes', value: bytesOf(value).slice() };
  }
  if (value instanceof URL) return { is: 'url', value: value.href };
  if (types.isDate(value)) return { is: 'plain', value };
  if (Array.isArray(value)) return { is: 'list', value: value.map(toSent) };
  if (value instanceof Error) return errorToSent(value);
  const of = nameIn(classes, value);
  const fields = fieldsToSent(value);
  return of ? { is: 'instance', of, value: fields } : { is: 'fields', value: fields };
}

export function fromSent(sent: Sent): unknown {
  return readers[sent.is](sent as never);
}

type Readers = { readonly [K in Sent['is']]: (sent: Extract<Sent, { is: K }>) => unknown };

const readers: Readers = {
  plain: ({ value }) => value,
  bytes: ({ value }) => Buffer.from(value.buffer, value.byteOffset, value.length),
  url: ({ value }) => new URL(value),
  list: ({ value }) => value.map(fromSent),
  fields: ({ value }) => fieldsFromSent(value),
  instance: ({ of, value }) =>
    Object.assign(Object.create(classes[of].prototype) as object, fieldsFromSent(value)),
  error: errorFromSent,
};

/** The bytes of a view of any kind. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function errorToSent(error: Error): Sent {
  const of = nameIn(errorClasses, error) ?? 'Error';
  return { is: 'error', of, message: error.message, value: fieldsToSent(error) };
}

/** Its stack is that of the thread that waits, where the call was made. */
function errorFromSent({ of, message, value }: Extract<Sent, { is: 'error' }>): Error {
  const error = new Error(message);
  Object.setPrototypeOf(error, errorClasses[of].prototype);
  return Object.assign(error, fieldsFromSent(value));
}

type Class = abstract new (...args: never[]) => unknown;

function nameIn<K extends string>(table: Readonly<Record<K, Class>>, value: object): K | undefined {
  return (Object.keys(table) as K[]).find((name) => value instanceof table[name]);
}

/** Own properties; a cause stays where it is. */
function fieldsToSent(value: object): Record<string, Sent> {
  const fields = Object.entries(value).filter(([, field]) => typeof field !== 'function');
  return Object.fromEntries(fields.map(([key, field]) => [key, toSent(field)]));
}

function fieldsFromSent(fields: Readonly<Record<string, Sent>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fromSent(field)]));
}
