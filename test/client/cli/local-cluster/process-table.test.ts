import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import {
  isRunning,
  signalProcess,
  startOf,
  waitForEnd,
  waitForStop,
} from '../../../../client/cli/local-cluster/process-table.ts';

const longEnoughMs = 60_000;

test('a process is known to run, to stand still, to go on and to have ended', async (t) => {
  const child = spawn(process.execPath, ['-e', 'for (;;) {}']);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const id = { pid, started: (await startOf(pid)) ?? '' };
  t.true(await isRunning(id));
  t.false(await waitForStop(id, 0));

  t.true(await signalProcess(id, 'SIGSTOP'));
  t.true(await waitForStop(id, longEnoughMs));
  t.true(await isRunning(id));

  t.true(await signalProcess(id, 'SIGCONT'));
  t.false(await waitForStop(id, 0));
  t.false(await waitForEnd(id, 0));

  t.true(await signalProcess(id, 'SIGKILL'));
  t.true(await waitForEnd(id, longEnoughMs));
  t.false(await signalProcess(id, 'SIGSTOP'), 'nobody is there to be stopped');
  t.false(await waitForStop(id, 0));
});
