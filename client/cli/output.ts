/**
 * Where a command's words go: results to standard output, progress and remarks to standard error.
 * With `--json` the results are objects, one a line, and there are no other words.
 */
import { once } from 'node:events';
import { paintFor, type Paint } from './colors.ts';
import { printableLines } from '../observing/shown-text.ts';

/** Of every object that `--json` prints; grows when a field changes its meaning or goes away. */
export const jsonSchema = 1;

export type JsonObject = Readonly<Record<string, unknown>>;

export class Output {
  readonly json: boolean;
  readonly paint: Paint;
  /** Stands below the output while a command runs, and is drawn again after each remark. */
  #bar: { clear(): void; draw(): void } | undefined;

  constructor({ json }: { readonly json: boolean }) {
    this.json = json;
    this.paint = json ? (_, text) => text : paintFor(process.stdout);
  }

  get isTerminal(): boolean {
    // Of what is no terminal it is not even false.
    const { isTTY }: { readonly isTTY?: boolean } = process.stdout;
    return isTTY ?? false;
  }

  /** Cells of a line; 80 when it is no terminal. */
  get width(): number {
    // A terminal that was never given a size says 0.
    return process.stdout.columns || 80;
  }

  /** One result in the form that was asked for. */
  result(fields: JsonObject, text: () => string | readonly string[]): void {
    if (this.json) this.object(fields);
    else this.lines([text()].flat());
  }

  /** Lines for people. Nothing with `--json`. */
  lines(lines: readonly string[]): void {
    if (this.json || lines.length === 0) return;
    const text = lines.map((line) => `${line}\n`).join('');
    this.#aboveBar(() => process.stdout.write(text), this.isTerminal);
  }

  /** An object for programs, on a line of its own. Nothing without `--json`. */
  object(fields: JsonObject): void {
    if (!this.json) return;
    process.stdout.write(`${JSON.stringify({ schema: jsonSchema, ...fields })}\n`);
  }

  /** Content as it is. Waits while nobody reads it. */
  async bytes(content: Uint8Array): Promise<void> {
    if (!process.stdout.write(content)) await once(process.stdout, 'drain');
  }

  /** Waits until what was printed has a reader: a listing of any length takes bounded memory. */
  async flushed(): Promise<void> {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }

  /** A remark beside the results. */
  remark(text: string): void {
    this.#aboveBar(() => process.stderr.write(`${printableLines(text)}\n`), true);
  }

  /** @param bar what remarks must not run into; `undefined` when it is gone */
  showBar(bar: { clear(): void; draw(): void } | undefined): void {
    this.#bar?.clear();
    this.#bar = bar;
    bar?.draw();
  }

  /** @param isSeen it goes to the terminal on which the bar is */
  #aboveBar(write: () => void, isSeen: boolean): void {
    const bar = isSeen ? this.#bar : undefined;
    bar?.clear();
    write();
    bar?.draw();
  }
}
