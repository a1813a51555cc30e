/** Death at every named step, once; and the page that tells of it. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import { failuresFile, failureTable, pageWith } from './failure-table.ts';
import { walkPoint, waysToDie } from './kill-walk.ts';
import { forgetting } from './sabotage.ts';

for (const point of killPoints) {
  test(`whoever dies at ${point} comes back, and no promise is broken (SCENARIOS 7, 8, 33, 34, 54-59, 103, 110, 113)`, async (t) => {
    for (const how of waysToDie(point)) await t.notThrowsAsync(walkPoint(point, how));
  });
}

test('the walk finds a mgr that forgets its replies when it dies', async (t) => {
  const sabotage = { mgrStore: forgetting(({ kind }) => kind === 'put-reply') };
  // Most replies are of questions, or of changes that may be made twice.
  const passings = Array.from({ length: 40 }, (_, before) => before + 1);
  await t.throwsAsync(walkPoint('mgr.reply.before', 'kill', passings, sabotage));
});

test('docs/FAILURES.md has every kill point (SCENARIOS 83)', async (t) => {
  const page = readFileSync(failuresFile, 'utf8');
  t.true(page === pageWith(await failureTable()), 'run: npm run sim -- --failure-table');
});
