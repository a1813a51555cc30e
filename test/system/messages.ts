/** What programs and calls say when they fail, in a form that is the same in every run. */
import type { ExecutionContext } from 'ava';
import { FsError } from '../../client/index.ts';
import { type Outcome } from './daemon.ts';

/** A message without what differs from run to run. */
export function settled(text: string, names: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [name, value] of Object.entries(names)) result = result.replaceAll(value, name);
  return (
    result
      .replaceAll(/\b[0-9a-f]{32}\b/g, 'CLUSTER')
      .replaceAll(/\bpid \d+|process \d+/g, 'PROCESS')
      .replaceAll(/127\.0\.0\.1:[1-6]\d{4}\b/g, '127.0.0.1:PORT')
      // A resolver that cannot ask anybody does not know that a name is not there.
      .replaceAll(/\bEAGAIN: (resolve \S+: getaddrinfo) EAI_AGAIN\b/g, 'ENOTFOUND: $1 ENOTFOUND')
      .replaceAll('\0', '<NUL>')
      .trimEnd()
  );
}

/** What a program said when it ended: the message alone, without its log. */
export function said({ code, stderr }: Outcome, names: Readonly<Record<string, string>>): string {
  const lines = stderr.split('\n').filter((line) => !line.startsWith('{'));
  return `exit ${code}\n${settled(lines.join('\n'), names)}`;
}

/** The error of a call: all that a program sees of it. */
export async function errorOf(
  t: ExecutionContext,
  call: Promise<unknown>,
  names: Readonly<Record<string, string>> = {},
): Promise<string> {
  const error = await call.then(
    () => t.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FsError)) return `no FsError: ${String(error)}`;
  return settled(`${error.weftCode ?? error.code}: ${error.message}`, names);
}
