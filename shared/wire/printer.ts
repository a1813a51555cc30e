/** A message as one line of a log, from its shape. Bounded in length and in work; never a key. */
import assert from 'node:assert/strict';
import type { Shape } from './codec.ts';
import type { Op } from './op.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Enough to tell two byte strings apart, too little to be of use to a thief. */
const hexDigitsShown = 8;

/**
 * e.g. `at={directory=1 path="a/b\xff"} flags=5 layout={base=- pcount=4 ssize=-}`: `-` is an
 * optional field that is not there, `32#07a1f3e2…` bytes by length and first digits, `2[…]` a list.
 * @returns at most `maxChars` characters; the last is `…` when that was not enough
 */
export function printMessage(
  op: Op,
  side: 'request' | 'reply',
  value: unknown,
  maxChars: number,
): string {
  assert(maxChars > 0);
  const { shape } = op[side];
  assert(shape.kind === 'struct', 'a message is a struct');
  let line = '';
  for (const piece of fieldPieces(shape.fields, value as Fields, maxChars)) {
    line += piece;
    if (line.length > maxChars) return `${line.slice(0, maxChars - 1)}…`;
  }
  return line;
}

/** Piece by piece, so that whoever puts them together can stop when there is no more room. */
function* pieces(shape: Shape, value: unknown, maxChars: number): Generator<string> {
  switch (shape.kind) {
    case 'int':
    case 'bool':
    case 'choice':
      yield String(value);
      return;
    case 'text':
      yield quoted(value as string, maxChars, unprintable);
      return;
    case 'name':
      yield quoted(value as string, maxChars, notAscii);
      return;
    case 'bytes':
      yield digest(value as Uint8Array);
      return;
    case 'optional':
      if (value === undefined) yield '-';
      else yield* pieces(shape.of, value, maxChars);
      return;
    case 'list':
      yield* listPieces(shape.of, value as readonly unknown[], maxChars);
      return;
    case 'struct':
      yield '{';
      yield* fieldPieces(shape.fields, value as Fields, maxChars);
      yield '}';
  }
}

function* listPieces(of: Shape, items: readonly unknown[], maxChars: number): Generator<string> {
  yield `${items.length}[`;
  let separator = '';
  for (const item of items) {
    yield separator;
    yield* pieces(of, item, maxChars);
    separator = ' ';
  }
  yield ']';
}

function* fieldPieces(
  shapes: Readonly<Record<string, Shape>>,
  value: Fields,
  maxChars: number,
): Generator<string> {
  let separator = '';
  for (const [name, shape] of Object.entries(shapes)) {
    yield `${separator}${name}=`;
    yield* pieces(shape, value[name], maxChars);
    separator = ' ';
  }
}

function digest(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, hexDigitsShown / 2)).toString('hex');
  return `${bytes.length}#${shown}${bytes.length > hexDigitsShown / 2 ? '…' : ''}`;
}

/** Names are bytes: what is no printable ASCII is shown as the byte that it is. */
const notAscii = /[^ !#-[\]-~]/gu;
/** Text keeps its letters, but nothing that ends a line, hides or reverses text. */
const unprintable = /["\\\p{C}\p{Zl}\p{Zp}]/gu;

function quoted(text: string, maxChars: number, escaped: RegExp): string {
  return `"${text.slice(0, maxChars).replace(escaped, escape)}"`;
}

function escape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
