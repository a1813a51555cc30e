/** `weft sessions`: which clients the mgr knows, and where they are. */
import { alignRows } from '../columns.ts';
import type { Run } from '../command.ts';
import { humanDuration } from '../../../shared/figures.ts';
import { askingBy, type SessionRecord, sessionsOf } from '../../observing/presence.ts';
import { printable } from '../../observing/shown-text.ts';
import type { Paint } from '../colors.ts';

const heads = ['session', 'client', 'user', 'from', 'open'];
const sides = ['right', 'left', 'right', 'left', 'right'] as const;

export const run: Run = async (_, { output, fileSystem, connectOptions }) => {
  const fs = await fileSystem();
  const sessions = await sessionsOf(askingBy(fs, connectOptions));
  const own = fs.session.session.id;
  output.result({ own, sessions: sessions.map(sessionJson) }, () =>
    alignRows([heads, ...sessions.map((session) => cells(session, own, output.paint))], sides),
  );
};

/** As `--json` has it: what is not known is null. */
export function sessionJson(record: SessionRecord): object {
  return { ...record, host: record.host ?? null, leftMs: record.leftMs ?? null };
}

function cells(record: SessionRecord, own: number, paint: Paint): string[] {
  const { session, name, uid, gid, opens } = record;
  const remark = session === own ? ' (this command)' : '';
  return [
    String(session),
    `${printable(name)}${remark}`,
    `${uid}:${gid}`,
    whereabouts(record, paint),
    String(opens),
  ];
}

/** The address of its client; or that it is away, and how long it may be. */
export function whereabouts({ host, leftMs }: SessionRecord, paint: Paint): string {
  if (host !== undefined) return printable(host);
  if (leftMs === undefined) return paint('yellow', 'ending');
  return paint('yellow', `away, ends in ${humanDuration(leftMs / 1000)}`);
}
