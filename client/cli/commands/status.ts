/** `weft status`: one line a daemon. */
import { displayBytes, memberLine } from '../member-lines.ts';
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { counted, humanDuration } from '../figures.ts';

export const run: Run = async (_, { output, url, fileSystem }) => {
  const fs = await fileSystem();
  const { members, ...mgr } = await fs.status();
  const healthy = mgr.state === 'ACTIVE' && members.every(({ state }) => state === 'serving');
  const { paint } = output;
  output.result({ url, healthy, mgr, iods: members }, () => {
    const figures = [
      counted(mgr.files, 'file'),
      counted(mgr.sessions, 'session'),
      `${mgr.opens} open`,
      ...(mgr.reaping > 0 ? [`${mgr.reaping} being removed`] : []),
      `${displayBytes(mgr.residentBytes)} of memory`,
      `version ${mgr.version}`,
    ];
    const state = paint(mgr.state === 'ACTIVE' ? 'green' : 'yellow', mgr.state.toLowerCase());
    const uptime = `up ${humanDuration(mgr.uptimeMs / 1000)}`;
    return alignRows([
      ['mgr', state, uptime, figures.join(', ')],
      ...members.map((member) => memberLine(member, paint)),
    ]);
  });
  return healthy ? undefined : 'failed';
};
