import test from 'ava';
import { ReadSharing } from '../../iod/read-sharing.ts';
import { limits } from '../../shared/limits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { SessionId } from '../../shared/units.ts';
import { World } from '../sim/runtime/world.ts';

const one = 1 as SessionId;
const other = 2 as SessionId;
const path = '/data/reads.mark';

/** An iod's process, as far as this goes. */
class Scene {
  readonly world = new World({ seed: 1, logLevel: 'none' });
  readonly host = this.world.host('a');
  readonly process = this.world.process('iod', { host: this.host, main: () => undefined });
  leftMs: number = limits.iodLeaseMs;

  run<T>(work: (runtime: Runtime) => Promise<T>): Promise<T> {
    return this.world.complete(this.process.call(work));
  }

  open(directReads = true): Promise<ReadSharing> {
    return this.run(async (runtime) => {
      await runtime.disk.makeDirectory('/data');
      const lease = { leftMs: this.leftMs };
      const sharing = new ReadSharing(runtime, lease, { dataDirectory: '/data', directReads });
      await sharing.open();
      return sharing;
    });
  }

  /** What the mark says; `undefined` when it is empty. */
  get mark(): number | undefined {
    const content = this.host.disk.content(path);
    return content?.length === 8 ? content.readDoubleLE() : undefined;
  }

  async timed(work: () => Promise<unknown>): Promise<number> {
    const { nowMs } = this.world;
    await this.run(work);
    return this.world.nowMs - nowMs;
  }
}

test('when a session has ended, the mark says something else; who was given nothing costs nothing', async (t) => {
  const scene = new Scene();
  const sharing = await scene.open();
  const given = sharing.give(one);
  t.is(given?.mark, scene.mark);
  t.is(given?.forMs, limits.sharedReadMs);
  await scene.run(() => sharing.endOf(other));
  t.is(scene.mark, given?.mark);
  await scene.run(() => sharing.endOf(one));
  t.not(scene.mark, given?.mark);
  t.is(sharing.give(other)?.mark, scene.mark);
});

test('a second fence waits for what the first one has begun, and nothing is given meanwhile', async (t) => {
  const scene = new Scene();
  const sharing = await scene.open();
  const before = sharing.give(one)?.mark;
  sharing.give(other);
  await scene.run(async () => {
    const first = sharing.endOf(one);
    t.is(sharing.give(other), undefined);
    await sharing.endOf(other);
    t.not(scene.mark, before);
    await first;
  });
});

test('what an earlier life has given is over before this one hears anybody', async (t) => {
  const scene = new Scene();
  const before = (await scene.open()).give(one)?.mark;
  scene.process.restart();
  const next = await scene.open();
  t.not(scene.mark, before);
  t.not(next.give(one)?.mark, before);
  scene.process.restart();
  const off = await scene.open(false);
  t.is(scene.mark, undefined, 'also when this one gives nothing');
  t.is(off.give(one), undefined);
});

test('nothing is given while a file is changed, and what was given is over before', async (t) => {
  const scene = new Scene();
  const sharing = await scene.open();
  const before = sharing.give(one)?.mark;
  await scene.run(() =>
    sharing.during(async () => {
      t.not(scene.mark, before);
      t.is(sharing.give(one), undefined);
      await Promise.resolve();
    }),
  );
  t.is(sharing.give(one)?.mark, scene.mark);
  await scene.run(() => sharing.end());
  t.is(sharing.give(one), undefined);
});

test('with a disk that fails or hangs it is over when it would have ended by itself', async (t) => {
  for (const trouble of ['fails', 'hangs']) {
    const scene = new Scene();
    const sharing = await scene.open();
    t.not(sharing.give(one), undefined);
    const { disk } = scene.host;
    if (trouble === 'fails') disk.fail({ errno: 'EIO', operation: 'write' });
    else disk.hang();
    const tookMs = await scene.timed(() => sharing.endOf(one));
    t.true(tookMs >= limits.sharedReadMs - 1, `${trouble}: ${tookMs} ms`);
    t.true(tookMs < limits.heartbeatSilenceMs, `${trouble}: ${tookMs} ms`);
    disk.mend();
    sharing.give(one);
    await scene.world.run({ untilMs: scene.world.nowMs + 100 });
    t.is(sharing.give(one)?.mark, scene.mark, `${trouble}, and does no more`);
  }
});

test('nothing is given for longer than the mgr lets the iod serve', async (t) => {
  const scene = new Scene();
  scene.leftMs = 700.5;
  t.is((await scene.open()).give(one)?.forMs, 700);
  const none = new Scene();
  none.leftMs = 0;
  t.is((await none.open()).give(one), undefined);
});
