import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { stopCluster } from '../../client/cli/local-cluster/local-cluster.ts';
import { builtProgram } from './daemon.ts';
import { made, undone } from './keepsafe.ts';
import { projectPath } from '../../scripts/project.ts';

const root = projectPath();
const run = promisify(execFile);

interface Block {
  readonly text: string;
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text = '']) => ({ text }));
}

async function readme(): Promise<readonly Block[]> {
  return blocksOf(await readFile(join(root, 'README.md'), 'utf8'));
}

function blockWith(blocks: readonly Block[], text: string): string {
  const block = blocks.find((one) => one.text.includes(text));
  assert(block, `the README has no example with ${text}`);
  return block.text;
}

test('what the README says about npm is what package.json has', async (t) => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const text = await readFile(join(root, 'README.md'), 'utf8');
  for (const [, name = ''] of text.matchAll(/npm run (\w+)/g)) t.true(name in scripts, name);
  t.true('start' in scripts && 'test' in scripts);
  t.is((await readFile(join(root, '.ci/run'), 'utf8')).trim().split('\n').at(-1), 'npm cit');
  t.true((await readme()).some(({ text }) => text.trim() === 'npm cit'));
});

test('every weft command and the program of the README work as written', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'weft-readme-'));
  const main = builtProgram('client/cli/main.js');
  const library = JSON.stringify(builtProgram('client/index.js'));
  const weft = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    run(process.execPath, [main, ...args], { cwd: directory, env });
  const cluster = join(directory, 'my-cluster');
  made('directory', directory);
  made('cluster', cluster);
  t.teardown(async () => {
    await stopCluster(cluster);
    undone('cluster', cluster);
    await rm(directory, { recursive: true, force: true });
    undone('directory', directory);
  });
  await cp(join(root, 'docs'), join(directory, 'docs'), { recursive: true });
  const blocks = await readme();
  const commands = blockWith(blocks, 'weft up').trim().split('\n');
  const program = blockWith(blocks, 'import { connect }');
  const env = { ...process.env };
  for (const line of commands) {
    const [weftWord, ...args] = line.split(' ');
    t.is(weftWord, 'weft', line);
    if (args[0] === 'down') {
      const file = join(directory, 'program.mjs');
      await writeFile(file, program.replace("'weftfs'", library));
      await run(process.execPath, [file], { env });
      t.is((await weft(['cat', 'weft:/results/run-1'], env)).stdout, 'striped over four iods');
    }
    const { stdout } = await weft(args, env);
    t.log(`${line}\n${stdout}`);
    if (args[0] !== 'up') continue;
    const state = JSON.parse(await readFile(join(cluster, 'cluster.json'), 'utf8')) as {
      url: string;
    };
    env['WEFT_URL'] = state.url;
  }
  const copy = await readFile(join(directory, 'PROTOCOL-copy.md'));
  t.true(copy.equals(await readFile(join(root, 'docs/PROTOCOL.md'))));
});
