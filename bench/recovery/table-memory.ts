/** What the open table of a mgr takes by itself: the rest of a process is other people's. */
import type { Handle, SessionId } from '../../shared/units.ts';
import { builtPath } from '../built.ts';
import type { Load } from './many-opens.ts';

const layout = { base: 0, pcount: 4, ssize: 65_536, total: 4 };

/** Of each open, when each session has files of its own, bytes: filled as a mgr that starts does. */
export async function tableBytesEach({ sessions, filesEach }: Load): Promise<number> {
  const built = (await import(
    builtPath('mgr/open-rows.js')
  )) as typeof import('../../mgr/open-rows.ts');
  const opens = sessions * filesEach;
  const before = process.memoryUsage().arrayBuffers;
  const rows = new built.OpenRows(opens);
  for (let open = 1; open <= opens; open++) {
    const session = (1 + Math.floor((open - 1) / filesEach)) as SessionId;
    const counts = { readers: 1, writers: 1, sequence: open, since: 1_700_000_000 };
    rows.put({ handle: open as Handle, session, ...counts }, built.unknownCuts, layout);
  }
  return (process.memoryUsage().arrayBuffers - before) / rows.size;
}
