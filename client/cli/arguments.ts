/** What a user typed after the name of a command, taken apart and checked. */

/** The command line is wrong: exit code 2, and nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What to type instead. */
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

export class Arguments {
  readonly operands: readonly string[];
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(operands: readonly string[], options: Readonly<Record<string, unknown>>) {
    this.operands = operands;
    this.#options = options;
  }

  /** An operand that must be there. */
  operand(at: number): string {
    const operand = this.operands[at];
    if (operand === undefined) throw new Error(`operand ${at} is not declared as required`);
    return operand;
  }

  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Of an option that may be given several times. */
  texts(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** @throws UsageError when it is no whole number from `min` to `max` */
  count(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= min && count <= max) return count;
    throw new UsageError(
      `--${name} takes a whole number from ${min} to ${max}, not '${text}'`,
      `give it as in --${name} ${min}`,
    );
  }

  /** A number of bytes: `4096`, `64K`, `1M`, `1.5G` (powers of 1024). @throws UsageError */
  bytes(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseBytes(text, `--${name}`);
  }
}

/**
 * @param what is measured, for the error
 * @throws UsageError
 */
export function parseBytes(text: string, what: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** ' KMGTP'.indexOf(unit === '' ? ' ' : unit.toUpperCase());
  if (digits !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(
    `${what} takes a number of bytes, not '${text}'`,
    'write it as 4096, 64K, 1M or 1.5G',
  );
}
