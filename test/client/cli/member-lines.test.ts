import test from 'ava';
import { memberLine } from '../../../client/cli/member-lines.ts';
import { limits } from '../../../shared/limits.ts';
import type { IodIndex } from '../../../shared/units.ts';
import type { Member } from '../../../shared/wire/values.ts';

const member: Member = {
  index: 0 as IodIndex,
  name: 'iod0',
  host: '127.0.0.1',
  port: 7301,
  unixPath: '',
  hostId: 'here',
  state: 'serving',
  incarnation: 1,
  totalBytes: 2048,
  freeBytes: 1024,
  quarantined: 0,
  silentMs: 0,
};
const plain = (_: string, text: string): string => text;

function remarksOf(change: Partial<Member>): string | undefined {
  return memberLine({ ...member, ...change }, plain).at(-1);
}

test('an iod that is heard is not remarkable', (t) => {
  t.is(remarksOf({ silentMs: limits.heartbeatIntervalMs }), '');
});

test('an iod that is silent is named before its connection is given up (within 5 s)', (t) => {
  t.regex(remarksOf({ silentMs: 4500 }) ?? '', /^silent for /);
  t.true(4500 < limits.heartbeatSilenceMs);
});

test('an iod that is away or has something in quarantine is remarkable', (t) => {
  t.regex(remarksOf({ state: 'absent', silentMs: 60_000 }) ?? '', /^silent for /);
  t.is(remarksOf({ quarantined: 1 }), '1 object in quarantine');
});
