/** One thing done to several paths: what fails is told and the rest goes on, as with rm(1). */
import { describeFailure, failureText } from './failure.ts';
import type { Output } from './output.ts';
import { remotePath } from './remote-path.ts';

/** A row of `failures` in JSON. */
export interface PathFailure {
  readonly path: string;
  readonly code: string;
  readonly weftCode: string | null;
  readonly message: string;
}

/** @returns the paths for which `work` went well, and what became of the others */
export async function eachPath(
  paths: readonly string[],
  output: Output,
  work: (path: string) => Promise<unknown>,
): Promise<{ readonly done: readonly string[]; readonly failures: readonly PathFailure[] }> {
  const done: string[] = [];
  const failures: PathFailure[] = [];
  for (const path of paths.map(remotePath)) {
    try {
      await work(path);
      done.push(path);
    } catch (error: unknown) {
      failures.push(tellFailure(error, path, output));
    }
  }
  return { done, failures };
}

/** With `--json` it is told by the result, else at once. */
export function tellFailure(error: unknown, path: string, output: Output): PathFailure {
  const failure = describeFailure(error);
  if (!output.json) output.remark(failureText(failure));
  const { code, weftCode = null, message } = failure;
  return { path, code, weftCode, message };
}

/** What a command returns that told its failures itself. */
export function verdict(failures: readonly unknown[]): 'failed' | undefined {
  return failures.length === 0 ? undefined : 'failed';
}
