import test from 'ava';
import { worstOf } from '../../../../client/cli/doctor/check.ts';
import {
  checkHealth,
  checkLinks,
  checkVersion,
} from '../../../../client/cli/doctor/cluster-checks.ts';
import { checkHost, checkPorts } from '../../../../client/cli/doctor/host-checks.ts';
import { type HostFacts, openFilesMax } from '../../../../client/cli/doctor/host-facts.ts';
import { redacted } from '../../../../client/cli/doctor/redact.ts';
import { FsError } from '../../../../shared/errno.ts';
import { version } from '../../../../shared/version.ts';

const GiB = 2 ** 30;
const fit: HostFacts = {
  node: '20.19.0',
  platform: 'linux',
  uid: 0,
  openFilesMax: 1_048_576,
  sharedMemory: 'usable',
  fuse: { device: 'usable', mountProgram: true, userObstacle: undefined },
  disk: { path: '/data', inMemory: false, freeBytes: 50 * GiB, totalBytes: 100 * GiB, syncMs: 0.4 },
};
const { disk, fuse } = fit;

/** Of one check, with all else as it should be. */
function verdictOf(name: string, change: Partial<HostFacts>) {
  const checks = checkHost({ ...fit, ...change });
  const { verdict, detail, advice } = checks.find((check) => check.name === name) ?? {};
  const others = checks.filter((check) => check.name !== name);
  return { verdict, detail, hasAdvice: advice !== undefined, others: worstOf(others) };
}

test('a host that has all it needs is fit', (t) => {
  t.deepEqual(
    checkHost(fit).map(({ name, verdict }) => `${name} ${verdict}`),
    ['node ok', 'open files ok', 'disk ok', 'shared memory ok', 'mount ok'],
  );
  t.is(worstOf(checkHost(fit)), 'ok');
  t.is(verdictOf('mount', { uid: 1000 }).verdict, 'ok', 'as an ordinary user too');
});

for (const [name, change, verdict, detail] of [
  ['node', { node: '18.20.4' }, 'error', /18\.20\.4 is too old/],
  ['node', { node: '20.18.9' }, 'error', /too old/],
  ['open files', { openFilesMax: 1024 }, 'warning', /may have 1024/],
  ['open files', { openFilesMax: undefined }, 'skipped', /does not tell/],
  ['disk', { disk: { path: '/data', failure: 'EROFS' } }, 'error', /EROFS/],
  ['disk', { disk: { ...disk, inMemory: true } }, 'warning', /\/data/],
  ['disk', { disk: { ...disk, freeBytes: GiB } }, 'warning', /1\.0GiB free/],
  ['disk', { disk: { ...disk, syncMs: 80 } }, 'warning', /durable in 80\.0 ms/],
  ['shared memory', { sharedMemory: 'missing' }, 'warning', /\/dev\/shm is missing/],
  ['mount', { uid: 1000, fuse: { ...fuse, userObstacle: 'no x' } }, 'skipped', /only root.*no x$/],
  ['mount', { uid: 1000, fuse: { ...fuse, device: 'forbidden' } }, 'skipped', /fuse is forbidden/],
  ['mount', { fuse: { ...fuse, device: 'missing', mountProgram: false } }, 'warning', /mount\(8\)/],
] as const) {
  test(`${name}: ${String(detail)}`, (t) => {
    const found = verdictOf(name, change);
    t.is(found.verdict, verdict);
    t.regex(found.detail ?? '', detail);
    t.is(found.hasAdvice, verdict !== 'skipped');
    t.is(found.others, 'ok');
  });
}

test('the limit of open files is read as the system writes it', (t) => {
  const line = 'Max open files            1024                 524288               files     \n';
  t.is(openFilesMax(`Limit  Soft Limit\n${line}`), 1024);
  t.is(openFilesMax(line.replace('1024', 'unlimited')), Infinity);
  t.is(openFilesMax(''), undefined);
});

test('a link that fails names its step, and a clock that is off is told beyond its doubt', (t) => {
  const link = { from: 'here', phases: [], failed: undefined, failure: undefined };
  const failure = new FsError('ECONNREFUSED', { id: 'WEFT_E_IOD_DOWN' });
  const checks = checkLinks([
    { ...link, to: 'iod0', clock: { aheadMs: 1400, doubtMs: 500 } },
    { ...link, to: 'iod1', clock: { aheadMs: -1600, doubtMs: 500 } },
    { ...link, to: 'iod2', failed: 'connect', failure },
  ]);
  t.deepEqual(
    checks.map(({ name, verdict }) => `${name} ${verdict}`),
    [
      'here -> iod0 ok',
      'iod0: clock ok',
      'here -> iod1 ok',
      'iod1: clock warning',
      'here -> iod2 error',
    ],
  );
  t.is(checks[3]?.detail, '1.6 s behind ours');
  t.regex(checks[4]?.detail ?? '', /^connect: /);
  t.truthy(checks[4]?.advice);
});

test('another version is told, and what health finds keeps its severity', (t) => {
  t.like(checkVersion('iod1', version), { name: 'iod1: version', verdict: 'ok' });
  t.is(checkVersion('mgr', '0.0.1').verdict, 'warning');
  t.is(checkVersion('iod1', undefined).verdict, 'skipped');
  t.is(worstOf(checkHealth([])), 'ok');
  const [found] = checkHealth([{ code: 'WEFT_H_IOD_ABSENT', subject: 'iod1', detail: 'silent' }]);
  t.is(found?.verdict, 'error');
  t.regex(found?.detail ?? '', /WEFT_H_IOD_ABSENT/);
});

test('keys, and where they are kept, do not leave the host; all else does', (t) => {
  const secret = 'a1'.repeat(32);
  const text = `open ws://h:1?key=/srv/cluster.key&x=1 with ${secret}, handle 12ab, ${'f'.repeat(40)}`;
  t.is(redacted(text), `open ws://h:1?key=(file)&x=1 with (key), handle 12ab, ${'f'.repeat(40)}`);
});

test('where keys are kept, tickets, and secrets of others are taken out, and no more', (t) => {
  for (const [text, left] of [
    ['"--key",\n      "/etc/k",\n "--port"', '"--key",\n      "(file)",\n "--port"'],
    ['weft --key /etc/k ls --key=/etc/k', 'weft --key (file) ls --key=(file)'],
    ['WEFT_KEY_FILE=/etc/k WEFT_USER=me', 'WEFT_KEY_FILE=(file) WEFT_USER=me'],
    ['http://127.0.0.1:7300/#name.proof" next', 'http://127.0.0.1:7300/#(ticket)" next'],
    ['cifs rw,username=me,password=x!y,vers=3', 'cifs rw,username=me,password=(secret),vers=3'],
    ['the key of the cluster, token 12', 'the key of the cluster, token 12'],
  ] as const) {
    t.is(redacted(text), left);
  }
});

const lent = { first: 32_768, last: 60_999 };
const port = { daemon: 'iod0', port: 7301, holder: 'nobody' } as const;

test('ports: its own, free, taken by others, or of those that outgoing connections get', (t) => {
  const check = (
    holder: (typeof port)['holder'] | 'itself' | { failure: string },
    areChosen = true,
  ) => checkPorts({ ports: [{ ...port, holder }], areChosen, lent });
  t.like(check('itself'), { verdict: 'ok', detail: '1 in use by the daemons that they are for' });
  t.like(check('nobody'), { verdict: 'ok', detail: '1 free' });
  const taken = { verdict: 'error', detail: 'not to be had: 7301 of iod0 (EADDRINUSE)' };
  t.like(check({ failure: 'EADDRINUSE' }), taken);
  t.like(check({ failure: 'EADDRINUSE' }, false), { ...taken, verdict: 'warning' });
  const high = checkPorts({ ports: [{ ...port, port: 40_000 }], areChosen: true, lent });
  t.is(high.verdict, 'warning');
  t.regex(high.detail, /^40000: /);
  t.true(high.advice !== undefined);
});
