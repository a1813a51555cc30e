/** What a command is made of, and what it gets to work with. */
import type { ConnectOptions } from '../connect.ts';
import type { FileSystem } from '../file-system.ts';
import type { Arguments } from './arguments.ts';
import type { Output } from './output.ts';

/**
 * What a command that has told all returns: `undefined` when all went well, exit code 0; `failed`
 * when some of it did not, 1; `broken`, for what has warnings too, when it is worse than that, 2.
 */
export type Outcome = 'failed' | 'broken' | undefined;
export type Run = (given: Arguments, context: Context) => Promise<Outcome | void>;

/** A command as help and completions show it. Its code is loaded when it is run. */
export interface CommandSpec {
  readonly name: string;
  /** Operands in the notation of help: `<path...>` or `[file]`. */
  readonly operands: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** What `--json` prints, beside `schema`. */
  readonly json: string;
  /** Somebody wants to know what is wrong: it answers within 2 s, dead daemons or not. */
  readonly observes?: boolean;
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
