/** `weft why` in a simulated cluster: calls that really wait, and the chain of what they wait for. */
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { askingBy, handleOf } from '../../client/observing/presence.ts';
import type { Step } from '../../client/observing/wait-chains.ts';
import { type Waits, whyWaiting } from '../../client/observing/waits.ts';
import { on, Stage } from './stage.ts';

const content = Buffer.alloc(8192, 7);

interface Target {
  readonly request?: string;
  readonly file?: string;
}

/** Asked by the last program of the stage. */
async function why(stage: Stage, fs: FileSystem, { request, file }: Target = {}): Promise<Waits> {
  return stage.run(stage.programs.length - 1, async () => {
    const handle = file === undefined ? undefined : await handleOf(askingBy(fs, {}), file);
    return whyWaiting(fs.session, await fs.status(), { request, handle });
  });
}

/** The one chain that has such a line. */
function chainWith(t: ExecutionContext, { chains }: Waits, pattern: RegExp): readonly Step[] {
  const found = chains.filter((steps) => steps.some(({ text }) => pattern.test(text)));
  t.is(found.length, 1, JSON.stringify(chains.map((steps) => steps.map(({ text }) => text))));
  return found[0] ?? [];
}

async function threePrograms(seed: number): Promise<{ stage: Stage; joined: FileSystem[] }> {
  const stage = new Stage({ seed, iods: 2, programs: 3 });
  const joined = await stage.joinAll();
  const [first] = joined;
  if (first) await stage.untilServing(0, first);
  return { stage, joined };
}

/** Takes rights, and has nothing to give back. */
const cacher = {
  attributes: true,
  granted: () => undefined,
  recalled: () => Promise.resolve(),
  lost: () => undefined,
  dropped: () => Promise.resolve(),
  owed: () => undefined,
};

test('a write to an iod that hangs is told with the iod that does not answer', async (t) => {
  const { stage, joined } = await threePrograms(1);
  const [writer, , asker] = joined;
  if (!writer || !asker) throw new Error('not all have joined');
  const file = await stage.run(0, () => writer.open('/f', 'w', { layout: on(1) }));
  await stage.run(0, () => file.write(content, 0));
  stage.iod(1).process.pause();
  const written = stage.begin(0, () => file.write(content, 0));
  await stage.pass(3_000);

  const { chains, untold } = await why(stage, asker, { file: '/f' });
  t.is(chains.length, 1);
  const [call, end] = chains[0] ?? [];
  t.regex(
    call?.text ?? '',
    /^program0 \(session \d+, .*\): waits for iod1: write \/f \([0-9a-f]{8}:\d+\), for 3\.\d s, .* more at most; nothing heard of it for 3\.\d s$/,
  );
  t.like(call?.wait, { kind: 'call', peer: 'iod iod1' });
  t.regex(end?.text ?? '', /^iod1: .*does not tell what it waits for: no answer/);
  t.deepEqual(
    untold.map((one) => one.process),
    ['iod1'],
  );

  // The same by the number of the request.
  const [, request = ''] = /\(([0-9a-f]{8}:\d+)\)/.exec(call?.text ?? '') ?? [];
  const named = await why(stage, asker, { request });
  t.is(named.chains.length, 1);
  t.like(named.chains[0]?.[0]?.wait, { kind: 'call', peer: 'iod iod1' });
  t.deepEqual((await why(stage, asker, { request: '00000000:1' })).chains, []);

  stage.iod(1).process.resume();
  await stage.settle(written);
  t.deepEqual((await why(stage, asker, { file: '/f' })).chains, []);
});

test('a write to an iod that is away is told, although no daemon has heard of it', async (t) => {
  const { stage, joined } = await threePrograms(2);
  const [writer, , asker] = joined;
  if (!writer || !asker) throw new Error('not all have joined');
  const file = await stage.run(0, () => writer.open('/f', 'w', { layout: on(1) }));
  await stage.run(0, () => file.write(content, 0));
  stage.iod(1).process.kill();
  const written = stage.begin(0, () => file.write(content, 0));
  await stage.pass(2_000);
  const { chains } = await why(stage, asker, { file: '/f' });
  t.is(chains.length, 1);
  const [call, end] = chains[0] ?? [];
  t.regex(
    call?.text ?? '',
    /: waits for iod1: write \/f, for 2\.0 s, .*: iod 1 is not connected: /,
  );
  t.regex(end?.text ?? '', /^iod1: absent, silent for .* its lease ends in /);
  stage.iod(1).process.start();
  await stage.settle(written);
});

test('a truncation goes from the client by the mgr to the iod, and who comes behind it waits for it', async (t) => {
  const { stage, joined } = await threePrograms(3);
  const [cutter, second, asker] = joined;
  if (!cutter || !second || !asker) throw new Error('not all have joined');
  await stage.run(0, () => cutter.writeFile('/f', content, { layout: on(1) }));
  const [ours, theirs] = [
    await stage.run(0, () => cutter.open('/f', 'r+')),
    await stage.run(1, () => second.open('/f', 'r+')),
  ];
  stage.iod(1).process.pause();
  const cut = stage.begin(0, () => ours.truncate(100));
  await stage.pass(500);
  const behind = stage.begin(1, () => theirs.truncate(50));
  await stage.pass(1_000);

  const { chains } = await why(stage, asker);
  const texts = chains.map((steps) => steps.map(({ depth, text }) => `${depth} ${text}`));
  // Beside them stands what the mgr has to tell the iod by itself.
  const chainOf = (name: string) => texts.find(([line]) => line?.startsWith(`0 ${name} `)) ?? [];
  const [first, next] = [chainOf('program0'), chainOf('program1')];
  t.is(first.length, 4);
  t.regex(first[0] ?? '', /^0 program0 \(.*\): waits for mgr: setAttr \(/);
  t.regex(
    first[1] ?? '',
    /^1 mgr: has setAttr \/f \(.*\) of program0 .*: it waits for iods of \/f$/,
  );
  t.regex(first[2] ?? '', /^2 mgr: waits for iod1: truncate \/f \(/);
  t.regex(first[3] ?? '', /^3 iod1: .*does not tell/);
  t.is(next.length, 5);
  t.regex(next[0] ?? '', /^0 program1 \(.*\): waits for mgr: setAttr \(/);
  t.regex(
    next[1] ?? '',
    /^1 mgr: has setAttr .* of program1 .*: it is not its turn, the size of \/f is being changed$/,
  );
  t.regex(next[2] ?? '', /^2 mgr: has setAttr .* of program0 /);
  t.regex(next[4] ?? '', /^4 iod1: /);

  stage.iod(1).process.resume();
  await stage.settle(Promise.all([cut, behind]));
  t.deepEqual((await why(stage, asker)).chains, []);
});

test('a change waits for a client that does not give its right to cache back (SCENARIOS 274)', async (t) => {
  const { stage, joined } = await threePrograms(4);
  const [holder, changer, asker] = joined;
  if (!holder || !changer || !asker) throw new Error('not all have joined');
  await stage.run(1, () => changer.mkdir('/d'));
  await stage.run(0, async () => {
    holder.session.cacheWith(cacher);
    await holder.stat('/d');
    await holder.stat('/d');
  });
  stage.program(0).pause();
  const changed = stage.begin(1, () => changer.chmod('/d', 0o700));
  await stage.pass(1_000);
  const steps = chainWith(t, await why(stage, asker), /recall/);
  t.regex(steps[0]?.text ?? '', /^program1 \(.*\): waits for mgr: setAttr /);
  t.regex(steps[1]?.text ?? '', /: others may cache \/d.*, and must not any more$/);
  t.regex(
    steps[2]?.text ?? '',
    /^mgr: waits for program0 \(.*\): recall \/d.*, for 1\.0 s, .*nothing heard of it for/,
  );
  t.regex(steps[3]?.text ?? '', /^program0 .*does not tell what it waits for/);
  stage.program(0).resume();
  await stage.settle(changed);
});

test('while a mgr recovers, a change waits for the rights that the one before it gave', async (t) => {
  const { stage, joined } = await threePrograms(5);
  const [holder, changer, asker] = joined;
  if (!holder || !changer || !asker) throw new Error('not all have joined');
  await stage.run(1, () => changer.mkdir('/d'));
  await stage.run(0, async () => {
    holder.session.cacheWith(cacher);
    await holder.stat('/d');
  });
  stage.program(0).pause();
  stage.bounce(stage.cluster.mgr, 10);
  const changed = stage.begin(1, () => changer.chmod('/d', 0o700));
  await stage.pass(900);
  const steps = chainWith(t, await why(stage, asker), /a mgr before this one/);
  t.regex(steps[0]?.text ?? '', /^program1 \(.*\): waits for mgr: setAttr /);
  t.regex(
    steps[2]?.text ?? '',
    /^mgr: waits until a mgr before this one can use its rights to cache no more, for .* ms, 1\.\d s more at most$/,
  );
  t.regex(steps.at(-1)?.text ?? '', /recovering/);
  stage.program(0).resume();
  await stage.settle(changed);
});

test('a write that hangs on a disk is followed to the iod whose disk it is', async (t) => {
  const { stage, joined } = await threePrograms(6);
  const [writer, , asker] = joined;
  if (!writer || !asker) throw new Error('not all have joined');
  const file = await stage.run(0, () => writer.open('/f', 'w', { layout: on(1) }));
  const { disk } = stage.iod(1).host;
  disk.hang();
  const written = stage.begin(0, () => file.write(content, 0));
  await stage.pass(2_000);
  const { chains, untold } = await why(stage, asker, { file: '/f' });
  t.deepEqual(untold, []);
  t.deepEqual(
    chains.map((steps) => steps.map(({ depth, process }) => [depth, process.replace(/\d+$/, 'n')])),
    [
      [
        [0, 'session n'],
        [1, 'iodn'],
      ],
    ],
  );
  const [call, request] = chains[0] ?? [];
  t.is(request?.wait?.tag, call?.wait?.tag);
  t.regex(request?.text ?? '', /^iod1: has write \/f \(.*\) of program0 .*: its disk works on it$/);
  disk.mend();
  await stage.settle(written);
});

test('the end of a session waits for an iod that must not accept it any more', async (t) => {
  const { stage, joined } = await threePrograms(7);
  const [leaver, , asker] = joined;
  if (!leaver || !asker) throw new Error('not all have joined');
  await stage.run(0, () => leaver.open('/f', 'w', { layout: on(1) }));
  stage.iod(1).process.kill();
  const closed = stage.begin(0, () => leaver.close());
  await stage.pass(2_000);
  const steps = chainWith(t, await why(stage, asker), /closeSession/);
  t.regex(steps.at(-2)?.text ?? '', /^mgr: waits until iod1 is back.*: iod1 is absent$/);
  t.regex(steps.at(-1)?.text ?? '', /^iod1: absent, silent for .*, its lease ends in/);
  stage.iod(1).process.start();
  await stage.settle(closed);
});
