import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { directoryWorks } from '../../../bench/peers/directory-works.ts';
import { setNames, type Sizes } from '../../../bench/peers/system.ts';
import type { UserTask } from '../../../bench/mount/user-tasks.ts';
import { Worker } from '../../../bench/processes.ts';

const sizes: Sizes = { rounds: 1, ms: 1, streamBytes: 2 * 1024 * 1024, randomMs: 5, files: 3 };

test('all work of a directory is done and counted, and nothing is left of it', async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'weft-test-'));
  const user = new Worker<UserTask>('mount/user-process.ts');
  t.teardown(async () => {
    await user.end();
    rmSync(scratch, { recursive: true });
  });
  const [source, directory] = [join(scratch, 'source'), join(scratch, 'directory')];
  mkdirSync(source);
  mkdirSync(directory);
  writeFileSync(join(source, 'file'), 'content');
  const archive = join(scratch, 'tree.tar');
  execFileSync('tar', ['-C', source, '-cf', archive, '.']);

  const sets = directoryWorks(directory, { user, archive, treeEntries: 2 }, sizes);
  const done: Record<string, number> = {};
  for (const set of setNames) {
    for (const [work, perform] of sets[set].works) {
      const outcome = await perform();
      done[work] = outcome.done;
      t.true(outcome.ended > outcome.begun, work);
      if (work === 'create') t.is(readdirSync(join(directory, 'files')).length, 3);
      if (work === 'unpack') t.true(existsSync(join(directory, 'tree', 'file')));
    }
    await sets[set].tidy();
  }
  t.true((done['random read'] ?? 0) > 0);
  t.like(done, { write: 2 << 20, read: 2 << 20, create: 3, stat: 3, list: 3, unlink: 3 });
  t.like(done, { unpack: 2, find: 2, remove: 2 });
  t.deepEqual(readdirSync(directory), []);
});
