import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { keepTraceFile } from '../../../shared/runtime/node/trace-file.ts';
import { limits } from '../../../shared/limits.ts';
import { recordKinds } from '../../../shared/trace/record.ts';
import { ringFileName, ringFiles } from '../../../shared/trace/ring-files.ts';
import { Ring } from '../../../shared/trace/ring.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

function scratch(t: ExecutionContext): string {
  const directory = fs.mkdtempSync(join(tmpdir(), 'weft-trace-'));
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'trace');
}

function latest(directory: string): Ring {
  const name = ringFiles(fs.readdirSync(directory)).at(-1) ?? 'none';
  return new Ring(fs.readFileSync(join(directory, name)));
}

/** A program that records one step after another, as fast as it can, and says how far it is. */
function recordingProgram(directory: string, end: string): string {
  const at = JSON.stringify(moduleUrl('shared/runtime/node.ts'));
  const program = `
    import { makeNodeRuntime } from ${at};
    const runtime = makeNodeRuntime({ log: 'warnings', trace: { role: 'iod', name: 'iod3' } });
    runtime.keepTrace(${JSON.stringify(directory)});
    const go = () => {
      for (let i = 0; i < 50; i++) runtime.killPoint('iod.fsync.before-disk');
      process.send({ last: runtime.recorder.last, atMs: performance.now() });
      setTimeout(go, 1);
    };
    go();
    process.on('message', () => { ${end} });
  `;
  const file = join(directory, '..', 'program.mjs');
  fs.writeFileSync(file, program);
  return file;
}

function recordingProcess(t: ExecutionContext, directory: string, end: string): ChildProcess {
  const child = fork(recordingProgram(directory, end), {
    execArgv: [...loaderWords],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

interface Said {
  readonly last: number;
  readonly atMs: number;
}

async function saidBefore(child: ChildProcess, count: number): Promise<Said[]> {
  const said: Said[] = [];
  while (said.length < count) {
    const [one] = (await once(child, 'message')) as [Said];
    said.push(one);
  }
  return said;
}

test('after SIGKILL the file has all but the last moments, whole (SCENARIOS 270)', async (t) => {
  const directory = scratch(t);
  const child = recordingProcess(t, directory, '');
  const said = await saidBefore(child, 300);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const ring = latest(directory);
  t.like(ring.info, { role: 'iod', name: 'iod3', pid: child.pid });
  t.is(ring.missing, 0);
  const end = ring.record(ring.last);
  t.is(end?.text, 'iod.fsync.before-disk');
  // What was recorded well before the end is there. The slack is for a machine that is busy.
  const slackMs = 20 * limits.traceFlushMs;
  const endMs = said.at(-1)?.atMs ?? 0;
  const due = said.findLast(({ atMs }) => atMs < endMs - slackMs)?.last ?? 0;
  t.true(ring.last >= due, `${ring.last} of ${due}`);
});

test('a daemon that finds itself in the wrong leaves all up to that (SCENARIOS 269)', async (t) => {
  const directory = scratch(t);
  const module = moduleUrl('shared/runtime/node/daemon.ts');
  const child = recordingProcess(
    t,
    directory,
    `import(${JSON.stringify(module)}).then(({ runDaemon }) => {
      const start = async () => {
        setTimeout(() => { throw new Error('one is not two'); }, 1);
        return { host: '', port: 0 };
      };
      const make = () => ({ start, stop: async () => undefined });
      void runDaemon({ role: 'iod', name: 'iod3', log: runtime.log, make });
    });`,
  );
  await saidBefore(child, 3);
  child.send('end');
  const [code] = (await once(child, 'exit')) as [number];
  t.is(code, 70);
  const ring = latest(directory);
  const [reason, end] = [ring.record(ring.last - 1), ring.record(ring.last)];
  t.like(reason, { kind: recordKinds.log, text: 'this is a mistake in weftfs' });
  t.like(end, { kind: recordKinds.ended, outcome: 70 });
});

for (const [how, end, code] of [
  ['exits', 'process.exit(3)', 3],
  ['fails an assertion', 'throw new Error("wrong")', 1],
] as const) {
  test(`a process that ${how} leaves its last record in the file (SCENARIOS 269)`, async (t) => {
    const directory = scratch(t);
    const child = recordingProcess(t, directory, end);
    await saidBefore(child, 3);
    const heard: Said[] = [];
    child.on('message', (said) => heard.push(said as Said));
    child.send('end');
    await once(child, 'exit');
    const ring = latest(directory);
    t.like(ring.record(ring.last), { kind: recordKinds.ended, outcome: code });
    t.is(ring.record(ring.last - 1)?.number, ring.last - 1);
    t.true(ring.last > (heard.at(-1)?.last ?? 0));
  });
}

test('the latest files stay, and only files of rings are removed', (t) => {
  const directory = scratch(t);
  fs.mkdirSync(directory, { mode: 0o700 });
  const old = [5, 1, 4, 2, 3].map((at) => ringFileName(at, 9));
  for (const name of [...old, 'mine.txt']) fs.writeFileSync(join(directory, name), '');
  const { recorder, log } = makeNodeRuntime({ log: 'silent' });
  const options = { recorder, log, directory, filesKept: 3, isRemovedAtEnd: false };
  keepTraceFile(options)();
  const left = ringFiles(fs.readdirSync(directory));
  t.deepEqual(left.slice(0, 2), [ringFileName(4, 9), ringFileName(5, 9)]);
  t.is(left.length, 3);
  t.true(fs.existsSync(join(directory, 'mine.txt')));
  t.is(fs.statSync(join(directory, left[2] ?? '')).mode & 0o777, 0o600);
});

test('several recorders of one process have files of their own; one is removed at its end', (t) => {
  const directory = scratch(t);
  const ends = [false, true, false].map((isRemovedAtEnd) => {
    const { recorder, log } = makeNodeRuntime({ log: 'silent' });
    return keepTraceFile({ recorder, log, directory, filesKept: 9, isRemovedAtEnd });
  });
  t.is(fs.readdirSync(directory).length, 3);
  for (const end of ends) {
    end();
    end();
  }
  t.is(fs.readdirSync(directory).length, 2);
});

test('a directory that is not ours alone, or cannot be made, costs a warning and no more', (t) => {
  const directory = scratch(t);
  const warnings: string[] = [];
  const { recorder, log } = makeNodeRuntime({ log: 'silent' });
  const noting = { ...log, warn: (message: string) => void warnings.push(message) };
  const keep = (at: string): void => {
    keepTraceFile({ recorder, log: noting, directory: at, filesKept: 2, isRemovedAtEnd: false })();
  };
  fs.mkdirSync(directory);
  fs.chmodSync(directory, 0o777);
  keep(directory);
  fs.writeFileSync(join(directory, 'file'), '');
  keep(join(directory, 'file'));
  keep(join(directory, 'file', 'below'));
  t.deepEqual(warnings, Array(3).fill('no trace is kept'));
  t.deepEqual(fs.readdirSync(directory), ['file']);
});

test('a disk that takes no more hinders nobody, and is told of (SCENARIOS 216)', async (t) => {
  const directory = scratch(t);
  const file = recordingProgram(directory, 'process.exit(0)');
  // Blocks of 512 bytes: some hundred records, and no more.
  const command = 'ulimit -f 100 && exec "$0" "$@"';
  const child = spawn('sh', ['-c', command, process.execPath, ...loaderWords, file], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr?.on('data', (piece: Buffer) => (text += piece.toString()));
  while (!text.includes('trace not written')) await once(child, 'message');
  const [before, after] = [await saidBefore(child, 1), await saidBefore(child, 5)];
  t.true((after.at(-1)?.last ?? 0) > (before.at(-1)?.last ?? 0), 'it goes on');
  child.send('end');
  const [code] = (await once(child, 'exit')) as [number];
  t.is(code, 0);
  t.true(latest(directory).last > 100, 'what there was room for is there');
});
