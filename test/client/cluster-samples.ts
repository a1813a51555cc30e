/** A cluster that is well, to be changed where a test needs it. */
import type { ClusterStatus } from '../../client/file-system.ts';
import type { IodIndex } from '../../shared/units.ts';
import type { Member } from '../../shared/wire/values.ts';

export function member(index: number, changes: Partial<Member> = {}): Member {
  return {
    index: index as IodIndex,
    name: `iod${index}`,
    host: 'h',
    port: 1,
    unixPath: '',
    hostId: '',
    state: 'serving',
    incarnation: 1,
    totalBytes: 1000,
    freeBytes: 500,
    quarantined: 0,
    silentMs: 0,
    ...changes,
  };
}

export function status(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    cluster: 'c',
    version: '1',
    state: 'ACTIVE',
    uptimeMs: 1000,
    files: 0,
    sessions: 1,
    sessionsAway: 0,
    opens: 0,
    reaping: 0,
    hasRoom: true,
    openSequence: 0,
    residentBytes: 1,
    answered: 0,
    answeredInMicroseconds: 0,
    members: [member(0), member(1)],
    recovery: undefined,
    absences: [],
    ...changes,
  };
}
