/**
 * `npm run mutations`: puts each defect of the list into a copy of the sources, runs the tests that
 * must notice, and writes the table into docs/MUTATIONS.md. Exits with 1 when one stays unnoticed.
 *
 *     npm run mutations -- [PART OF A TITLE]
 */
import { defects } from './defects.ts';
import { firstFailure, judge, type Verdict } from './mutant.ts';
import { writeTable } from './table.ts';

const wanted = process.argv[2];
const chosen = defects.filter(({ title }) => wanted === undefined || title.includes(wanted));
const failure = await firstFailure([...new Set(chosen.flatMap(({ noticedBy }) => noticedBy))]);
if (failure !== undefined) throw new Error(`without any defect this fails: ${failure}`);
const verdicts: Verdict[] = [];
for (const defect of chosen) {
  const verdict = await judge(defect);
  console.log(`${verdict.noticed === undefined ? 'UNNOTICED' : 'noticed  '}  ${defect.title}`);
  verdicts.push(verdict);
}
const unnoticed = verdicts.filter(({ noticed }) => noticed === undefined);
console.log(`${chosen.length} defects, ${unnoticed.length} unnoticed`);
if (wanted === undefined && unnoticed.length === 0) writeTable(verdicts);
process.exitCode = unnoticed.length === 0 ? 0 : 1;
