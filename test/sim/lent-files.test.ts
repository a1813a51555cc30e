/** Files that are lent to the mount that makes them, with a real mgr that dies, and wires that break. */
import test from 'ava';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { placeIn } from '../../client/handle-place.ts';
import { limits } from '../../shared/limits.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import { byteString, rootHandle } from '../../shared/units.ts';
import { openFlags } from '../../shared/wire/mgr-ops.ts';
import { Stage } from './stage.ts';

const { read, write, create } = openFlags;
const smallFileBytes = 1000;
const text = 'hello, world';
const content = Buffer.from(text);
const deadlineMs = 120_000;

const revoke = () => Promise.resolve();

/** A program that caches, as a mount does. */
async function mountIn(stage: Stage, program: number, fileSystem: FileSystem) {
  const access = await stage.run(program, () =>
    Promise.resolve(new HandleAccess({ fileSystem, deadlineMs, revoke })),
  );
  await stage.pass(100);
  const make = (name: string) => {
    const at = placeIn(rootHandle, byteString(name));
    const wish = { at, flags: read | write | create, mode: 0o644, durable: false };
    return access.open({ ...wish, maker: undefined }, {});
  };
  return { access, make };
}

/** A mount, and a program that looks at what it makes. */
async function begin(seed: number) {
  const stage = new Stage({ seed, iods: 1, programs: 2, smallFileBytes });
  const [maker, other] = (await stage.joinAll()) as [FileSystem, FileSystem];
  return { stage, other, ...(await mountIn(stage, 0, maker)) };
}

/** Makes the file, changes it here, and looks from elsewhere as soon as that is done. */
async function madeAndSeen(
  { stage, access, make, other }: Awaited<ReturnType<typeof begin>>,
  closes: boolean,
): Promise<{ file: File; seen: Promise<string> }> {
  const { file } = await stage.run(0, async () => {
    const made = await make('f');
    const { handle } = made.attr;
    if (!access.lent.write(handle, content, 0)) throw new Error('it is not lent');
    access.lent.change(handle, { mode: 0o600 });
    if (closes) access.closeLate(made.file, () => undefined).catch(() => undefined);
    return made;
  });
  const seen = stage.begin(1, async () => {
    const { mode } = await other.stat('/f', { deadlineMs });
    const bytes = await other.readFile('/f', { deadlineMs });
    return `${(mode & 0o777).toString(8)} ${bytes.toString()}`;
  });
  seen.catch(() => undefined);
  return { file, seen };
}

const whole = `600 ${text}`;

for (const closes of [false, true]) {
  const how = closes ? 'closed' : 'open';
  test(`who looks at a new file that is ${how} sees all that its mount has done to it`, async (t) => {
    const scene = await begin(1);
    const { seen } = await madeAndSeen(scene, closes);
    t.is(await scene.stage.settle(seen), whole);
    await scene.stage.pass(1000);
    t.is(scene.stage.openCount, closes ? 0 : 1);
  });

  for (const point of [
    'mgr.commit.before',
    'mgr.commit.after',
    'mgr.reply.before',
    'mgr.recover.loaded',
  ] as const satisfies KillPoint[]) {
    test(`a mgr that dies at ${point} has a new file that is ${how} back before anybody sees it`, async (t) => {
      for (let seed = 1; seed <= 3; seed++) {
        const scene = await begin(seed);
        const { stage } = scene;
        const { file, seen } = await madeAndSeen(scene, closes);
        if (point === 'mgr.recover.loaded') stage.bounce(stage.cluster.mgr, 100);
        stage.world.killAt({ process: 'mgr', point, restartAfterMs: 500 });
        t.is(await stage.settle(seen), whole, `seed ${seed}`);
        if (!closes) await stage.run(0, () => file.close());
        await stage.pass(1000);
        t.is(stage.openCount, 0);
      }
    });
  }

  test(`with the host of the mgr nothing is lost of a new file that is ${how} and was not told of yet`, async (t) => {
    const scene = await begin(2);
    const { stage } = scene;
    const { file, seen } = await madeAndSeen(scene, closes);
    stage.cluster.cutPower(stage.cluster.mgr.host);
    await stage.pass(200);
    stage.cluster.mgr.host.powerOn();
    stage.cluster.mgr.start();
    t.is(await stage.settle(seen), whole);
    if (!closes) await stage.run(0, () => file.close());
    await stage.pass(2000);
    t.is(stage.openCount, 0);
  });

  test(`whoever looks at a new file that is ${how} waits for a mount that is cut off, and sees all`, async (t) => {
    for (const cutMs of [100, limits.rightAtMgrMs + 1000, limits.sessionLeaseMs - 5000]) {
      const scene = await begin(3);
      const { stage } = scene;
      const { network } = stage.world;
      const { file, seen } = await madeAndSeen(scene, closes);
      network.partition('program0', 'mgr');
      await stage.pass(cutMs);
      network.heal();
      t.is(await stage.settle(seen), whole, `${cutMs} ms`);
      if (!closes) await stage.run(0, () => file.close());
    }
  });
}

test('a mount that is gone for good leaves the file as it was made, and its user hears of it', async (t) => {
  const scene = await begin(4);
  const { stage } = scene;
  const { file, seen } = await madeAndSeen(scene, false);
  stage.world.network.partition('program0', 'mgr');
  await stage.pass(limits.sessionLeaseMs + limits.heartbeatSilenceMs + 5000);
  stage.world.network.heal();
  t.is(await stage.settle(seen), '644 ');
  await stage.pass(10_000);
  await t.throwsAsync(
    stage.run(0, () => file.sync()),
    { code: 'ESTALE' },
  );
});

test('many files, made one behind another, are all seen whole by who reads them meanwhile', async (t) => {
  const { stage, access, make, other } = await begin(5);
  const names = Array.from({ length: 50 }, (_, i) => `f${i}`);
  const made = new Set<string>();
  let reads = 0;
  const making = stage.begin(0, async () => {
    for (const name of names) {
      const { file, attr } = await make(name);
      if (!access.lent.write(attr.handle, content, 0)) await file.write(content, 0);
      made.add(name);
      access.closeLate(file, () => undefined).catch(() => undefined);
    }
  });
  const looking = stage.begin(1, async () => {
    while (made.size < names.length) {
      await other.stat('/', { deadlineMs });
      for (const name of made.keys()) {
        const bytes = await other.readFile(`/${name}`, { deadlineMs });
        if (bytes.toString() !== text) throw new Error(`${name} has ${bytes.length} bytes`);
        reads++;
      }
    }
  });
  await stage.settle(Promise.all([making, looking]));
  await stage.pass(1000);
  t.is(stage.openCount, 0);
  const sizes = await stage.run(1, () =>
    Promise.all(names.map(async (name) => (await other.stat(`/${name}`)).size)),
  );
  t.true(reads >= names.length, `${reads} reads`);
  t.true(sizes.every((size) => size === content.length));
});

test('of two mounts that make the same file at once, each finds what the other has done to it', async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const { stage, other, ...one } = await begin(seed);
    const two = await mountIn(stage, 1, other);
    for (let round = 0; round < 5; round++) {
      const name = `f${round}`;
      const works = [one, two].map(({ access, make }, program) =>
        stage.begin(program, async () => {
          await access.lookup(placeIn(rootHandle, byteString(name)), {}).catch(() => undefined);
          const { file, attr } = await make(name);
          const mine = Buffer.from(`by ${program}`);
          const at = program * mine.length;
          const isLent = access.lent.write(attr.handle, mine, at);
          if (!isLent) await file.write(mine, at);
          await access.closeLate(file, () => undefined);
          return isLent;
        }),
      );
      const lent = await stage.settle(Promise.all(works));
      const bytes = await stage.run(1, () => other.readFile(`/${name}`, { deadlineMs }));
      t.is(bytes.toString(), 'by 0by 1', `seed ${seed}, round ${round}`);
      t.true(lent.includes(true));
    }
    t.is(stage.openCount, 0);
  }
});
