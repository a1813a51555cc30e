/** Failures in words: what, what it means, what to try. The same object as text and as JSON. */
import { type FsError, isFsError } from '../../shared/errno.ts';
import { UsageError } from './arguments.ts';
import { jsonSchema } from './output.ts';
import { printable, printableLines } from '../observing/shown-text.ts';

/** Something that only the command knows is wrong, with its own advice. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly effect: string | undefined;
  readonly advice: string | undefined;
  readonly path: string | undefined;

  constructor(
    code: string,
    message: string,
    more: { effect?: string; advice?: string; path?: string; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.effect = more.effect;
    this.advice = more.advice;
    this.path = more.path;
  }
}

/** What is known of a failure, whoever reported it. */
export interface Failure {
  /** Name of the errno, `EUSAGE`, or `EINTERNAL` when we are wrong. */
  readonly code: string;
  readonly weftCode: string | undefined;
  readonly message: string;
  readonly effect: string | undefined;
  readonly advice: string | undefined;
  readonly path: string | undefined;
}

export function describeFailure(error: unknown): Failure {
  if (isFsError(error)) return ofFsError(error);
  if (error instanceof CommandError) {
    const { code, message, effect, advice, path } = error;
    return { code, weftCode: undefined, message, effect, advice, path };
  }
  if (error instanceof UsageError) {
    const { message, advice } = error;
    return { ...unknown, code: 'EUSAGE', message, effect: 'nothing was done', advice };
  }
  if (isSystemError(error)) {
    return { ...unknown, code: error.code, message: withoutCode(error), path: error.path };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ...unknown, code: 'EINTERNAL', message, advice: 'this is a mistake in weft: report it' };
}

/** A line for what happened, and one each for its effect and for what to try. */
export function failureText(failure: Failure): string {
  const { code, weftCode, effect, advice } = failure;
  const id = weftCode === undefined ? code : `${weftCode} (${code})`;
  const lines = [`weft: ${id}: ${printableLines(failure.message)}`];
  if (effect !== undefined) lines.push(`  effect: ${printable(effect)}`);
  if (advice !== undefined) lines.push(`  try:    ${printableLines(advice)}`);
  return lines.join('\n');
}

/** In one line, for lists. */
export function shortFailure(error: unknown): string {
  const { code, weftCode, message } = describeFailure(error);
  return `${weftCode ?? code}: ${printable(message)}`;
}

/** The line that `--json` prints instead of a result. */
export function failureJson({ code, weftCode, message, effect, advice, path }: Failure): string {
  const error = { code, weftCode, message, effect, advice, path };
  return JSON.stringify({ schema: jsonSchema, error }, (_, value: unknown) => value ?? null);
}

const unknown = {
  weftCode: undefined,
  effect: undefined,
  advice: undefined,
  path: undefined,
} as const;

function ofFsError(error: FsError): Failure {
  const { code, weftCode, effect, advice, path } = error;
  const own = weftCode === undefined ? adviceFor[code] : advice;
  return { code, weftCode, message: withoutCode(error), effect, advice: own, path };
}

/** What helps after plain outcomes; most of them say all in their name. */
const adviceFor: Readonly<Record<string, string>> = {
  ENOTFOUND: 'check the host name in the URL',
  ECONNREFUSED: 'start the cluster with weft up, or correct the URL',
  ENOTEMPTY: 'weft rm -r removes a directory with all that is in it',
  EISDIR: 'add -r for a directory',
  ENOSPC: 'weft df shows which iod is full',
};

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string | undefined;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

/** The messages of Node and ours begin with the code, which is shown on its own. */
function withoutCode({ code, message }: SystemError): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}
