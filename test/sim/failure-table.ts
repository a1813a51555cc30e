/**
 * The table of `docs/FAILURES.md` that tells for each kill point who dies there, what it has done
 * by then, and what the walk has shown. It stands between two markers.
 */
import { readFileSync } from 'node:fs';
import { format } from 'oxfmt';
import { type KillPoint, killPoints } from '../../shared/runtime/kill-points.ts';
import { roleOf, waysToDie } from './kill-walk.ts';
import { projectPath } from '../../scripts/project.ts';

export const failuresFile = projectPath('docs/FAILURES.md');
const begin = '<!-- kill points: begin -->';
const end = '<!-- kill points: end -->';

const done: Readonly<Record<KillPoint, string>> = {
  'iod.boot.locked': 'has locked its data directory',
  'iod.boot.incarnation-stored': 'has stored the number of this start',
  'iod.sync.connected': 'has reached the mgr, and has not joined',
  'iod.sync.snapshot-begun': 'has joined, and has nothing of the open table yet',
  'iod.sync.compared': 'knows what of its old table holds, and has it aside',
  'iod.sync.snapshot-chunk': 'has a page of the open table, aside',
  'iod.sync.before-swap': 'has the whole new table aside, confirmed',
  'iod.sync.after-swap': 'has put the new table in force',
  'iod.listen.before': 'is about to open its port',
  'iod.listen.after': 'has opened its port; the mgr does not know',
  'iod.write.before-disk': 'has received a write',
  'iod.write.after-disk': 'has written, and not answered',
  'iod.fsync.before-disk': 'has been asked for a sync',
  'iod.fsync.after-disk': 'has synced, and not answered',
  'iod.truncate.before-disk': 'has been told to truncate',
  'iod.truncate.after-disk': 'has truncated, and not answered',
  'iod.remove.before-disk': 'has been told to remove objects',
  'iod.remove.after-disk': 'has removed them, and not answered',
  'iod.place.before-disk': 'has been given the bytes of a small file that becomes a large one',
  'iod.place.after-disk': 'has stored them, and not answered',
  'iod.drain.begun': 'has been asked to stop',
  'iod.drain.announced': 'has told the mgr that it stops',
  'iod.drain.opens-kept': 'has written down its open table for the next start',
  'mgr.boot.generation-stored': 'has stored the number of this start',
  'mgr.recover.loaded': 'has loaded all that is durable',
  'mgr.listen.after': 'listens; nobody is back yet',
  'mgr.reclaim.over': 'has everybody back, or waits no longer',
  'mgr.sync.joined': 'has cut the stream of changes for an iod',
  'mgr.sync.compared': 'is about to send digests of the open table',
  'mgr.sync.page-read': 'is about to send a page of the open table',
  'mgr.sync.confirmed': 'is about to tell an iod that it may serve',
  'mgr.commit.before': 'has carried out the calls of a tick, in memory',
  'mgr.commit.after': 'has committed them',
  'mgr.reply.before': 'is about to answer them',
  'mgr.fanout.before-send': 'is about to tell an iod of a truncation or a fence',
  'mgr.fanout.sent': 'has told it',
  'mgr.fanout.acknowledged': 'has its answer',
  'mgr.move.begun': 'is about to give the bytes of a small file to an iod',
  'mgr.move.placed': 'has given them, and still has them itself',
  'mgr.fence.before': 'is about to fence a session at the iods',
  'mgr.fence.after': 'has fenced it everywhere; its opens are still there',
  'mgr.drain.begun': 'has been asked to stop',
  'client.open.sent': 'has asked for a file',
  'client.open.answered': 'has got it',
  'client.write.sent': 'has sent a write to all iods concerned',
  'client.write.part-acknowledged': 'has the answer of one of them',
  'client.fsync.sent': 'has asked for a sync',
  'client.close.sent': 'has given a file back, perhaps unheard',
  'client.reconnect.begun': 'is about to attach its session again',
  'client.reconnect.attached': 'has attached it',
};

/** What others notice, as the walk demands it. */
const outcome = {
  iod: 'nobody gets an error',
  mgr: 'nobody gets an error',
  client: 'its session ends with its lease; nobody else gets an error',
} as const;

/** Call it after the walk: it says that all of it has passed. */
export async function failureTable(): Promise<string> {
  const rows = killPoints.map((point, at) => {
    const ways = waysToDie(point).join(', ');
    return `| ${at + 1} | \`${point}\` | ${done[point]} | ${ways} | ${outcome[roleOf(point)]} |`;
  });
  const text = [
    '|  | kill point | the process | dies by | outcome of kill -9 |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Pairs: each of the ${killPoints.length ** 2} ordered pairs of these deaths ends as one death does, by seed 1 of the walk.`,
  ].join('\n');
  return (await format('table.md', text)).code;
}

/** The page with this table in its place. @throws Error when it has no place */
export function pageWith(table: string): string {
  const page = readFileSync(failuresFile, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`no '${begin}' … '${end}'`);
  return `${before}${begin}\n\n${table}\n${end}${after}`;
}
