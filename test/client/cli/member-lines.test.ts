import test from 'ava';
import { memberLine } from '../../../client/cli/member-lines.ts';
import { limits } from '../../../shared/limits.ts';
import type { Member } from '../../../shared/wire/values.ts';
import { member } from '../cluster-samples.ts';

const plain = (_: string, text: string): string => text;

function remarksOf(change: Partial<Member>): string | undefined {
  return memberLine(member(0, change), plain).at(-1);
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
