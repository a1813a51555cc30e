/** Fields of a log line as plain values that JSON can hold. */

const depthMax = 4;
const itemsMax = 50;
const textMax = 2000;

/** Errors with their code and cause, bigints as digits, bytes as their count; bounded in size. */
export function plainField(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return value.length > textMax ? `${value.slice(0, textMax)}…` : value;
  }
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `<function ${value.name}>`;
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (depth >= depthMax) return '<too deep>';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Map) return plainField([...value], depth);
  if (value instanceof Set) return plainField([...value], depth);
  if (Array.isArray(value)) {
    return value.slice(0, itemsMax).map((item) => plainField(item, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, itemsMax)
      .map(([name, field]) => [name, plainField(field, depth + 1)]),
  );
}

/** The stack only of what is a fault of ours: an expected failure has none worth reading. */
function plainError(error: Error, depth: number): unknown {
  const { name, message, cause } = error;
  const { code, weftCode } = error as { code?: unknown; weftCode?: unknown };
  const isFault = weftCode === undefined && (code === undefined || code === 'ERR_ASSERTION');
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(weftCode === undefined ? {} : { weftCode }),
    ...(isFault ? { stack: error.stack } : {}),
    ...(cause === undefined ? {} : { cause: plainField(cause, depth + 1) }),
  };
}
