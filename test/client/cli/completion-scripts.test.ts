import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { completionScript, shells } from '../../../client/cli/completion-scripts.ts';

const commands = [
  {
    name: 'cp',
    summary: "copy what's there",
    options: [
      { flags: '-r, --recursive', summary: 'with [all]' },
      { flags: '--stripe <bytes>', summary: 'size' },
    ],
  },
  { name: 'cat', summary: 'print', options: [] },
];

for (const shell of shells) {
  test(`the script for ${shell} names every command and option`, (t) => {
    const script = completionScript(shell, commands);
    for (const word of ['cp', 'cat', 'recursive', 'stripe']) t.true(script.includes(word), word);
  });
}

test('bash completes commands, then options, and leaves files to itself', async (t) => {
  t.deepEqual(await complete('weft', 'c'), ['cp', 'cat']);
  t.deepEqual(await complete('weft', 'cp', '-'), ['-r', '--recursive', '--stripe']);
  t.deepEqual(await complete('weft', 'cp', 'fi'), []);
});

async function complete(...words: readonly string[]): Promise<string[]> {
  const program = `${completionScript('bash', commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _weft; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', program, 'bash', ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}
