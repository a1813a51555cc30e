/** `weft trace` for help and completion. */
import type { CommandSpec } from '../command.ts';

export const traceCommand: CommandSpec = {
  name: 'trace',
  operands: '<action> [rings...]',
  summary: 'what the flight recorders of all processes have',
  options: [
    { flags: '--data <dir>', summary: 'the directory of weft up (default: weft-data)' },
    { flags: '--last <n>', summary: 'show, merge: no more than the last n records' },
    { flags: '--lives <n>', summary: 'of each daemon, so many of its latest lives (1)' },
    {
      flags: '--format <format>',
      summary: 'export: chrome, for Perfetto too (default), or script',
    },
    { flags: '--output <file>', summary: 'export: where to' },
  ],
  json: 'one line a record: {process, pid, at, kind, op, connection, tag, call, epoch, handle, bytes, outcome, partner, …}; export: {file, rings}',
  notes: [
    'weft trace show iod0; merge, follow, export: a timeline of all daemons, or of those named.',
    'A ring is a file, the name of a daemon of weft up in --data, or clients: those on this host.',
  ],
  load: () => import('../commands/trace.ts'),
};
