/** Names and messages as they may be shown: no byte of theirs ever steers a terminal. */
import type { ByteString } from '../../shared/units.ts';

const wellFormed = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether the bytes are UTF-8, so that text can stand for them. */
export function isText(name: ByteString | Uint8Array): boolean {
  return decoded(bytesOf(name)) !== undefined;
}

/** A name for people: what is no UTF-8 or no printable character as `\xff`, the rest as it is. */
export function shownName(name: ByteString | Uint8Array): string {
  const bytes = bytesOf(name);
  const text = decoded(bytes);
  if (text !== undefined) return printable(text);
  // Byte by byte: a name that is no text as a whole has none of its parts guessed.
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte),
  ).join('');
}

/** The text with control characters, line separators and direction marks made visible. */
export function printable(text: string): string {
  return text.replace(invisible, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? escaped(code) : `\\u{${code.toString(16)}}`;
  });
}

/** As `printable`, but line ends and tabs stay: for messages of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

// C0 and C1 controls; marks that turn the direction of what follows; line separators; lone halves.
const invisible = /[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function bytesOf(name: ByteString | Uint8Array): Uint8Array {
  return typeof name === 'string' ? Buffer.from(name, 'latin1') : name;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return wellFormed.decode(bytes);
  } catch {
    return undefined; // Not an error: most of what is asked is whether it decodes.
  }
}
