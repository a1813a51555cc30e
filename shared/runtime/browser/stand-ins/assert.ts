/** `node:assert/strict` for a page: as much of it as the library uses. */

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

function check(value: unknown, message = 'an assertion does not hold'): asserts value {
  if (!value) throw new AssertionError(message);
}

const assert = Object.assign(check, {
  equal(actual: unknown, expected: unknown, message = 'not equal'): void {
    check(Object.is(actual, expected), `${message}: ${String(actual)}, not ${String(expected)}`);
  },
});

// oxlint-disable-next-line import/no-default-export -- Node's has one
export default assert;
