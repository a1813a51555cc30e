/** Whole trees, as programs handle them that know nothing of us: tar, git, rm. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../rows.ts';
import type { MountBench } from './mount-bench.ts';
import { canRun } from './references.ts';

const filesPerDirectory = 100;
const fileBytes = 1000;
const looks = 3;

export async function measureTrees(bench: MountBench): Promise<Row[]> {
  const { local, others, mounted, sizes } = bench;
  const source = join(local.directory, 'source');
  makeTree(source, sizes.treeFiles);
  const archive = join(local.directory, 'tree.tar');
  sh(local.directory, `tar -C source -cf ${archive} .`);
  const rows: Row[] = [];
  const measure = (name: string, script: string, times = 1): void => {
    const best = (directory: string): number =>
      Math.min(...Array.from({ length: times }, () => ms(() => sh(directory, script))));
    const value = best(mounted);
    const group = `a tree of ${sizes.treeFiles.toLocaleString('en')} files`;
    for (const reference of [local, ...others]) {
      const limit = { name: reference.name, value: best(reference.directory) };
      rows.push({ group, name, value, unit: 'ms', limit });
    }
  };
  measure('tar -x', `mkdir unpacked && tar -C unpacked -xf ${archive}`);
  measure('find with all attributes', 'find unpacked -size +1000k', looks);
  measure('rm -r', 'rm -r unpacked');
  if (canRun('git')) {
    const who = '-c user.name=b -c user.email=b@b';
    sh(source, `git init -q . && git add . && git ${who} commit -qm all`);
    measure('git clone', `git clone -q --no-local ${source} clone`);
    measure('git status', 'git -C clone status --porcelain', looks);
  }
  return rows;
}

function makeTree(root: string, files: number): void {
  for (let i = 0; i < files; i++) {
    const directory = join(root, `part-${Math.floor(i / filesPerDirectory)}`);
    if (i % filesPerDirectory === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${i}`), `${i}\n`.repeat(fileBytes / 5));
  }
}

function sh(cwd: string, script: string): void {
  execFileSync('sh', ['-euc', script], { cwd });
}

function ms(run: () => void): number {
  const begun = performance.now();
  run();
  return performance.now() - begun;
}
