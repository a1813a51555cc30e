import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { makeKillPoint } from '../../../shared/runtime/node/kill-point.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

test('the runtime has all its parts, and its kill points do nothing by default', (t) => {
  const runtime = makeNodeRuntime({ log: 'silent', killPoints: undefined });
  t.true(runtime.clock.now() <= runtime.clock.now());
  t.is(runtime.random.bytes(3).length, 3);
  t.is(runtime.net.hostId.length, 32);
  t.false(runtime.log.enabled('error'));
  t.notThrows(() => runtime.killPoint('iod.write.after-disk'));
  t.is(typeof runtime.disk.open, 'function');
});

test('a kill point that does not exist, or a wrong count, is refused', (t) => {
  for (const spec of ['no.such.point', 'iod.write.after-disk:0', 'iod.write.after-disk:x', ':1']) {
    t.throws(() => makeKillPoint(spec), { code: 'EINVAL', message: new RegExp(`'${spec}'`) });
  }
});

test('the process dies by SIGKILL at the passing that WEFT_KILL_POINT names', async (t) => {
  const module = moduleUrl('shared/runtime/node.ts');
  const script = `
    import { makeNodeRuntime } from ${JSON.stringify(module)};
    import { writeSync } from 'node:fs';
    const { killPoint } = makeNodeRuntime({ log: 'silent' });
    for (let i = 1; i < 10; i++) {
      killPoint('iod.write.before-disk');
      killPoint('iod.write.after-disk');
      writeSync(1, String(i));
    }
  `;
  const child = spawn(process.execPath, [...loaderWords, '--input-type=module', '-e', script], {
    env: { ...process.env, WEFT_KILL_POINT: 'iod.write.after-disk:3' },
  });
  let passed = '';
  child.stdout.on('data', (piece: Buffer) => (passed += piece.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  t.is(code, null);
  t.is(signal, 'SIGKILL');
  t.is(passed, '12');
});
