/**
 * Functions made of text. The engine sees one loop for all structures, and looks each field up anew;
 * in a function of its own for each it sees which they are, and takes less than half the time.
 */
import assert from 'node:assert/strict';

/** @returns what an expression says of these values @throws EvalError where code may not be made of text */
export function compile(expression: string, values: Readonly<Record<string, unknown>>): unknown {
  const names = Object.keys(values);
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- of names in this program alone
  const make = new Function(...names, `return ${expression};`) as (...all: unknown[]) => unknown;
  return make(...Object.values(values));
}

/** False in pages, and in a Node that makes no code of text. */
export function mayCompile(): boolean {
  try {
    return compile('true', {}) === true;
  } catch {
    return false;
  }
}

/** The name of a field as it may stand in code. */
export function identifier(key: string): string {
  assert(/^[a-z][A-Za-z0-9]*$/.test(key), key);
  return key;
}
