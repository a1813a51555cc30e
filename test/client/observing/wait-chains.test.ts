import test from 'ava';
import { chainsOf, type Question, type Teller } from '../../../client/observing/wait-chains.ts';
import type { Handle, SessionId } from '../../../shared/units.ts';
import { clientOps } from '../../../shared/wire/client-ops.ts';
import { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { Wait } from '../../../shared/wire/values.ts';

const question: Question = {
  fileName: (handle) => `/${handle}`,
  iodName: (index) => `iod${index}`,
  stateOf: () => undefined,
};

function wait(changes: Partial<Wait>): Wait {
  return {
    kind: 'call',
    connection: 0,
    tag: 0,
    op: nameOps.setAttr.code,
    stage: 'work',
    peer: 'mgr mgr',
    session: undefined,
    handles: [],
    forMs: 1000,
    leftMs: undefined,
    silentMs: undefined,
    why: '',
    kernel: undefined,
    ...changes,
  };
}

function teller(key: string, ...waits: readonly Wait[]): Teller {
  return { key, title: key, told: { waits, total: waits.length } };
}

const shown = (tellers: readonly Teller[], changes: Partial<Question> = {}): string[][] =>
  chainsOf(tellers, { ...question, ...changes }).map((steps) =>
    steps.map(({ depth, process }) => `${depth} ${process}`),
  );

const seven = [7] as unknown as readonly Handle[];
const asked = { kind: 'request', connection: 5, tag: 1, peer: 'client a' } as const;
const sent = wait({ connection: 5, tag: 1 });

test('a right that a client does not give back leads to that client, whether it is asked or cut off', (t) => {
  const held = { session: 9 as SessionId, handles: seven };
  const request = wait({ ...asked, stage: 'rights', handles: seven });
  const recall = wait({
    ...held,
    peer: 'client b',
    op: clientOps.recall.code,
    tag: 3,
    connection: 8,
  });
  const rest = wait({ ...held, kind: 'rights', peer: 'session 9', op: 0 });
  const other = wait({ ...held, handles: [8] as unknown as readonly Handle[], kind: 'rights' });
  const tellers = [
    teller('session 1', sent),
    teller('mgr', request, recall, rest, other),
    { key: 'session 9', title: 'session 9', told: 'it does not answer' },
  ];
  t.deepEqual(shown(tellers), [
    ['0 session 1', '1 mgr', '2 mgr', '3 session 9', '2 mgr'],
    ['0 mgr'],
  ]);
  const [[, , , end, cut] = []] = chainsOf(tellers, question);
  t.is(end?.text, 'session 9: does not tell what it waits for: it does not answer');
  t.regex(cut?.text ?? '', /^mgr: waits until session 9 can use its rights to cache no more/);
});

test('a request is followed from where it was made, or from where it has arrived when its caller is silent', (t) => {
  const request = wait({ ...asked });
  t.deepEqual(shown([teller('session 1', sent), teller('mgr', request)]), [
    ['0 session 1', '1 mgr'],
  ]);
  const named = { request: '00000005:1' };
  t.deepEqual(shown([teller('session 1', sent), teller('mgr', request)], named), [
    ['0 session 1', '1 mgr'],
  ]);
  t.deepEqual(shown([teller('mgr', request)], named), [['0 mgr']]);
  t.deepEqual(shown([teller('mgr', request)], { request: '00000005:2' }), []);
});

test('the longest wait comes first, and requests that wait for each other end', (t) => {
  const long = wait({ forMs: 9000, peer: 'iod 1', why: 'iod 1 is not connected' });
  t.deepEqual(shown([teller('session 1', sent, long), teller('mgr', wait({ ...asked }))]), [
    ['0 session 1'],
    ['0 session 1', '1 mgr'],
  ]);
  const [[first] = []] = chainsOf([teller('session 1', long)], question);
  t.regex(first?.text ?? '', /waits for iod1: setAttr, for 9\.0 s: iod 1 is not connected$/);
  const running = wait({ ...asked, stage: 'iods', handles: seven });
  const behind = wait({ ...asked, tag: 2, stage: 'turn', handles: seven });
  t.deepEqual(shown([teller('mgr', running, behind)]), [['0 mgr', '1 mgr']]);
});

test('a request of the kernel leads to the calls that are made for it, or about its file', (t) => {
  const asked = { kind: 'kernel', peer: 'cat (pid 4)', why: 'read', handles: seven } as const;
  const mine = wait({ ...asked, kernel: 2 });
  const shared = wait({ ...asked, kernel: 4, why: 'lookup "x"' });
  const calls = [
    wait({ connection: 5, tag: 1, kernel: 2, forMs: 9 }),
    wait({ connection: 5, tag: 2, kernel: 2, forMs: 8 }),
    wait({ connection: 5, tag: 3, handles: seven, forMs: 7 }),
    wait({ connection: 5, tag: 4, forMs: 6 }),
  ];
  const request = wait({ kind: 'request', connection: 5, tag: 1, peer: 'client a' });
  const tellers = [teller('session 1', mine, shared, ...calls), teller('mgr', request)];
  const chains = chainsOf(tellers, question);
  t.deepEqual(
    chains.map((steps) =>
      steps.flatMap(({ depth, wait: one }) => (one ? [`${depth} ${one.kind} ${one.tag}`] : [])),
    ),
    [
      ['0 kernel 0', '1 call 1', '2 request 1', '1 call 2'],
      ['0 kernel 0', '1 call 3'],
      ['0 call 4'],
    ],
  );
  t.is(chains[0]?.[0]?.text, 'session 1: cat (pid 4) waits for read (/7), for 1.0 s');
  t.is(chains[1]?.[0]?.text, 'session 1: cat (pid 4) waits for lookup "x" (/7), for 1.0 s');
});
