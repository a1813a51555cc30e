/**
 * Ranges are copied from file to file, by the iods where they can, while daemons die: each file holds what
 * its writer has put there, and whoever looks sees it.
 */
import test, { type ExecutionContext } from 'ava';
import type { File } from '../../client/file.ts';
import { copyFromStart } from '../../client/whole-copy.ts';
import { limits } from '../../shared/limits.ts';
import { readAll, Stage } from './stage.ts';

const ssize = 65_536;
const bytesMax = 6 * ssize;
const steps = 30;
/** The first two begin on the same iod, the third where its stripes are one further. */
const bases = [0, 0, 1] as const;

/** As a user would: what iods cannot copy is read and written. @returns whether they have */
async function copy(source: File, target: File, from: number, to: number, length: number) {
  const count = await target.copyFrom(source, { from, to, length });
  if (count !== undefined) return true;
  const buffer = Buffer.alloc(length);
  const bytes = await source.read(buffer, from);
  await target.write(buffer.subarray(0, bytes), to);
  return false;
}

function put(into: Buffer, bytes: Buffer, at: number): Buffer {
  const next = Buffer.alloc(Math.max(into.length, bytes.length === 0 ? 0 : at + bytes.length));
  into.copy(next);
  bytes.copy(next, at);
  return next;
}

/** @returns how many ranges the iods have copied */
async function run(
  t: ExecutionContext,
  seed: number,
  fault: keyof typeof faults,
  writeBehind: boolean,
): Promise<number> {
  const stage = new Stage({ seed, iods: 2, programs: 2 });
  const fs = await stage.join(0, 0, { writeBehind });
  const other = await stage.join(1);
  const random = stage.world.random.fork('copies');
  const files: File[] = [];
  for (const [i, base] of bases.entries()) {
    const layout = { base, pcount: 2, ssize };
    files.push(await stage.run(0, () => fs.open(`/f${i}`, 'w+', { layout })));
  }
  const models: Buffer[] = files.map(() => Buffer.alloc(0));
  let copied = 0;
  const one = async (step: number): Promise<void> => {
    const target = random.below(files.length);
    const source = random.below(files.length);
    const [to, left] = [files[target], models[target]];
    const [from, right] = [files[source], models[source]];
    if (!to || !left || !from || !right) throw new Error('three files');
    const inStep = random.chance(0.6);
    const at = inStep ? random.below(6) * ssize : random.below(bytesMax);
    if (source === target || random.chance(0.3)) {
      const text = Buffer.alloc(1 + random.below(2 * ssize), step + 1);
      await stage.run(0, () => to.write(text, at));
      models[target] = put(left, text, at);
      return;
    }
    const place = inStep ? random.below(6) * ssize : random.below(bytesMax);
    const length = 1 + random.below(3 * ssize);
    const isByIods = await stage.run(0, () => copy(from, to, place, at, length));
    if (isByIods) copied++;
    models[target] = put(left, right.subarray(place, place + length), at);
  };
  const look = async (): Promise<void> => {
    for (const [i, model] of models.entries()) {
      const seen = await stage.run(1, async () => {
        const file = await other.open(`/f${i}`, 'r');
        const bytes = await readAll(file, model.length + 1);
        await file.close();
        return bytes;
      });
      t.true(seen.equals(model), `file ${i}`);
    }
  };
  for (let step = 0; step < steps; step++) {
    if (fault !== 'none' && random.chance(0.2)) {
      const daemon = fault === 'mgr' ? stage.cluster.mgr : stage.iod(random.below(2)).process;
      if (daemon.alive) stage.bounce(daemon, 1000);
    }
    await one(step);
    if (random.chance(0.3)) await look();
  }
  for (const file of files) await stage.run(0, () => file.close());
  await look();
  return copied;
}

const faults = { none: [1, 2], iod: [3, 4, 5], mgr: [6, 7] } as const;

for (const [fault, seeds] of Object.entries(faults)) {
  for (const writeBehind of [false, true]) {
    const how = writeBehind ? ', of files whose writes are gathered' : '';
    test(`what iods copy is what was there, whoever dies: ${fault}${how}`, async (t) => {
      let copied = 0;
      for (const seed of seeds)
        copied += await run(t, seed, fault as keyof typeof faults, writeBehind);
      t.true(copied > 0, 'they have copied something');
    });
  }
}

test('a range of no file is copied to itself by iods, nor a file of another session', async (t) => {
  const stage = new Stage({ seed: 9, iods: 2, programs: 2 });
  const [a, b] = [await stage.join(0), await stage.join(1)];
  const layout = { base: 0, pcount: 2, ssize };
  const [one, two] = [
    await stage.run(0, () => a.open('/one', 'w+', { layout })),
    await stage.run(0, () => a.open('/two', 'w+', { layout })),
  ];
  const text = Buffer.alloc(limits.copiedBytesMin, 1);
  await stage.run(0, () => one.write(text, 0));
  const whole = { from: 0, to: 0, length: text.length };
  t.is(await stage.run(0, () => one.copyFrom(one, whole)), undefined);
  const elsewhere = await stage.run(1, () => b.open('/one', 'r'));
  t.is(await stage.run(0, () => two.copyFrom(elsewhere, whole)), undefined);
  t.is(await stage.run(0, () => two.copyFrom(one, { ...whole, length: 1e6 })), text.length);
  t.is(await stage.run(0, () => two.copyFrom(one, { ...whole, from: text.length })), 0);
  await t.throwsAsync(
    stage.run(0, () => two.copyFrom(one, { ...whole, from: -1 })),
    { code: 'EINVAL' },
  );
});

test('holes of a file that is copied whole stay such', async (t) => {
  const stage = new Stage({ seed: 10, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const make = (path: string, base: number) =>
    stage.run(0, () => fs.open(path, 'w+', { layout: { base, pcount: 2, ssize } }));
  const [source, copy, elsewhere] = [
    await make('/source', 0),
    await make('/copy', 0),
    await make('/elsewhere', 1),
  ];
  const size = 200 * ssize + 7;
  const places = [3 * ssize, 4 * ssize, 90 * ssize + 4096];
  await stage.run(0, async () => {
    for (const at of places) await source.write(Buffer.alloc(ssize, at / ssize + 1), at);
    await source.truncate(size);
  });
  let heard = 0;
  const done = await stage.run(0, () => copyFromStart(source, copy, (count) => (heard += count)));
  t.is(done, size);
  t.is(heard, places.length * ssize);
  t.is(await stage.run(0, () => copyFromStart(source, elsewhere)), 3 * ssize);
  const [all, copied] = await stage.run(0, () =>
    Promise.all([readAll(source, size + 1), readAll(copy, size + 1)]),
  );
  t.true(copied.equals(all));
  const { blocks } = await stage.run(0, () => copy.stat());
  t.is(blocks * 512, places.length * ssize);
});
