/** What a command is made of, and what it gets to work with. */
import type { ConnectOptions } from '../connect.ts';
import type { FileSystem } from '../file-system.ts';
import type { Arguments } from './arguments.ts';
import type { Output } from './output.ts';

/** @returns `failed` when some of it did not go well and has been told: exit code 1 */
export type Run = (given: Arguments, context: Context) => Promise<void | 'failed'>;

/** A command as help and completions show it. Its code is loaded when it is run. */
export interface CommandSpec {
  readonly name: string;
  /** Operands in the notation of help: `<path...>` or `[file]`. */
  readonly operands: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** What `--json` prints, beside `schema`. */
  readonly json: string;
  /** Lines that stand below the options in its help. */
  readonly notes?: readonly string[];
  readonly load: () => Promise<{ readonly run: Run }>;
}

export interface OptionSpec {
  /** In the notation of help: `-r, --recursive` or `--data <dir>`. */
  readonly flags: string;
  readonly summary: string;
  /** May be given several times. */
  readonly many?: boolean;
}

export interface Context {
  readonly output: Output;
  /** Of the cluster, as `--url` or WEFT_URL names it. */
  readonly url: string | undefined;
  readonly connectOptions: ConnectOptions;
  /** The cluster. One connection however often it is asked for. */
  readonly fileSystem: () => Promise<FileSystem>;
}
