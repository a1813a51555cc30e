/** An iod in a line, as the mgr sees it. */
import { formatAddress } from '../../shared/iodtab-address.ts';
import type { Member, MemberState } from '../../shared/wire/values.ts';
import type { Color, Paint } from './colors.ts';
import { counted, displayBytes, humanDuration } from '../../shared/figures.ts';
import { silenceMs } from '../../shared/health-findings.ts';
import { printable } from '../observing/shown-text.ts';

const stateColors: Readonly<Record<MemberState, Color>> = {
  serving: 'green',
  syncing: 'yellow',
  draining: 'yellow',
  absent: 'red',
  evicted: 'red',
};

/** Cells: name, state, address, space, and what is remarkable. */
export function memberLine(member: Member, paint: Paint): string[] {
  const { name, state, host, port, quarantined, silentMs } = member;
  const remarks = [
    ...(state === 'serving' && silentMs < silenceMs
      ? []
      : [`silent for ${humanDuration(silentMs / 1000)}`]),
    ...(quarantined > 0
      ? [paint('yellow', `${counted(quarantined, 'object')} in quarantine`)]
      : []),
  ];
  return [
    printable(name),
    paint(stateColors[state], state),
    port === 0 ? 'never started' : formatAddress(printable(host), port),
    `${displayBytes(member.freeBytes)} free of ${displayBytes(member.totalBytes)}`,
    remarks.join(', '),
  ];
}
