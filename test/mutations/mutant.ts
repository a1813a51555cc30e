/** A copy of the sources with one defect, and what the tests say of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Defect } from './defects.ts';
import { projectPath } from '../../scripts/project.ts';

const root = projectPath();
const sources = ['client', 'iod', 'mgr', 'shared', 'scripts', 'test', 'docs', 'iodtab'];
const settings = ['ava.config.js', 'package.json', 'tsconfig.json', 'tsconfig.test.json'];

/** @returns the file with the defect. @throws Error when the place is not there, or not alone */
export function withDefect({ file, right, wrong }: Defect): string {
  const text = readFileSync(join(root, file), 'utf8');
  const parts = text.split(right);
  if (parts.length !== 2) {
    throw new Error(`${file}: found ${parts.length - 1} times instead of once: ${right}`);
  }
  return parts.join(wrong);
}

/** What a test run made of a defect. */
export interface Verdict {
  readonly defect: Defect;
  /** The first test that failed; `undefined` when none did. */
  readonly noticed: string | undefined;
}

/** Runs the tests that must notice, on sources of their own. */
export async function judge(defect: Defect): Promise<Verdict> {
  const change = { file: defect.file, text: withDefect(defect) };
  return { defect, noticed: await firstFailure(defect.noticedBy, change) };
}

/**
 * Runs tests on a copy of the sources.
 * @returns the title of the first one that fails
 * @throws Error when they could not be run at all
 */
export async function firstFailure(
  tests: readonly string[],
  change?: { readonly file: string; readonly text: string },
): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-mutant-'));
  try {
    for (const name of [...sources, ...settings]) {
      cpSync(join(root, name), join(directory, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    if (change !== undefined) writeFileSync(join(directory, change.file), change.text);
    return await runTests(directory, tests);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runTests(directory: string, tests: readonly string[]): Promise<string | undefined> {
  const program = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const child = spawn(
    process.execPath,
    [program, '--tap', '--fail-fast', '--timeout=60s', ...tests],
    {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => (output += piece));
  }
  await once(child, 'close');
  if (child.exitCode === 0) return undefined;
  const failed = /^not ok \d+ - (.*)$/m.exec(output)?.[1];
  if (failed === undefined) throw new Error(`the tests did not run:\n${output}`);
  return failed;
}
