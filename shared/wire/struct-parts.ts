/** How the fields of a struct are written and read, one after another. */
import assert from 'node:assert/strict';
import type { Codec, StructParts } from './codec.ts';

type Entries = readonly (readonly [key: string, codec: Codec<unknown>])[];
type Parts = StructParts<Record<string, unknown>>;

/** What every engine takes. */
export function looped(entries: Entries): Parts {
  return {
    write(to, value) {
      for (const [key, codec] of entries) codec.write(to, value[key]);
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (const [key, codec] of entries) value[key] = codec.read(from);
      return value;
    },
  };
}

/**
 * The same as a function of its own for each struct. The engine sees one loop for all messages, and
 * looks each field up anew; here it sees which they are, and takes less than half the time.
 * @throws EvalError where code may not be made of text
 */
export function compiled(entries: Entries): Parts {
  const writes = entries.map(([key], i) => `c${i}.write(to, value.${identifier(key)});`);
  const reads = entries.map(([key], i) => `${identifier(key)}: c${i}.read(from),`);
  const body = `return {
    write(to, value) { ${writes.join(' ')} },
    read(from) { return { ${reads.join(' ')} }; },
  };`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- of names in this program alone
  const make = new Function(...entries.map((_, i) => `c${i}`), body) as (
    ...codecs: readonly Codec<unknown>[]
  ) => Parts;
  return make(...entries.map(([, codec]) => codec));
}

/** Compiled, but in pages (scripts/browser/bundle.ts), and in a Node that makes no code of text. */
export const structParts = mayCompile() ? compiled : looped;

function mayCompile(): boolean {
  try {
    compiled([]);
    return true;
  } catch {
    return false;
  }
}

function identifier(key: string): string {
  assert(/^[a-z][A-Za-z0-9]*$/.test(key), key);
  return key;
}
