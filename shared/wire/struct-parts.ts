/** How the fields of a struct are written and read, one after another. */
import { compile, identifier, mayCompile } from '../compile.ts';
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

/** The same as functions of its own for each struct. @throws EvalError where they may not be made */
export function compiled(entries: Entries): Parts {
  const writes = entries.map(([key], i) => `c${i}.write(to, value.${identifier(key)});`);
  const reads = entries.map(([key], i) => `${identifier(key)}: c${i}.read(from),`);
  const body = `{
    write(to, value) { ${writes.join(' ')} },
    read(from) { return { ${reads.join(' ')} }; },
  }`;
  const values = Object.fromEntries(entries.map(([, codec], i) => [`c${i}`, codec]));
  return compile(body, values) as Parts;
}

/** Compiled, but in pages (scripts/browser/bundle.ts), and in a Node that makes no code of text. */
export const structParts = mayCompile() ? compiled : looped;
