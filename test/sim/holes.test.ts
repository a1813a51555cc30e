/**
 * A file that is written with gaps, cut and made longer, while daemons die: who looks finds all bytes by
 * seeking from data to hole, and is told how much it takes.
 */
import test, { type ExecutionContext } from 'ava';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { overTwo, readAll, Stage } from './stage.ts';

const page = 4096;
const pagesMax = 60;
const steps = 25;

/** What the file is to hold, and which of its pages were written since they were last cut off. */
class Model {
  bytes = Buffer.alloc(0);
  readonly written = new Set<number>();

  write(text: Buffer, at: number): void {
    this.#resize(Math.max(this.bytes.length, at + text.length));
    text.copy(this.bytes, at);
    for (let p = Math.floor(at / page); p * page < at + text.length; p++) this.written.add(p);
  }

  cut(size: number): void {
    this.#resize(size);
    for (const p of this.written) if (p * page >= size) this.written.delete(p);
  }

  #resize(size: number): void {
    const next = Buffer.alloc(size);
    this.bytes.copy(next);
    this.bytes = next;
  }
}

/** Bytes from `position` on, by whom there are some; the rest are holes. */
async function walk(file: File): Promise<readonly (readonly [from: number, to: number])[]> {
  const data: [number, number][] = [];
  for (let at = 0; ;) {
    const from = await file.seek(at, 'data');
    if (from === undefined) return data;
    at = (await file.seek(from, 'hole')) ?? Infinity;
    data.push([from, at]);
  }
}

async function check(t: ExecutionContext, fs: FileSystem, model: Model): Promise<void> {
  const file = await fs.open('/f', 'r');
  const { bytes, written } = model;
  t.true((await readAll(file, bytes.length + 1)).equals(bytes));
  const found = Buffer.alloc(bytes.length);
  for (const [from, to] of await walk(file)) {
    t.true(from < to && to <= bytes.length);
    bytes.copy(found, from, from, to);
    for (let p = Math.floor(from / page); p * page < to; p++) t.true(written.has(p), 'no hole');
  }
  t.true(found.equals(bytes), 'what was left out is zeros');
  await file.close();
  const taken = (await fs.stat('/f')).blocks * 512;
  const expected = written.size * page;
  // Of each object the last page counts as far as it goes.
  t.true(taken <= expected + 512 && taken > expected - 2 * page, `${taken} of ${expected}`);
}

const faults = { none: [1, 2, 3], iod: [4, 5, 6], mgr: [7, 8] } as const;

async function run(t: ExecutionContext, seed: number, fault: keyof typeof faults): Promise<void> {
  const stage = new Stage({ seed, iods: 2, programs: 2 });
  const [writer, other] = [await stage.join(0), await stage.join(1)];
  const random = stage.world.random.fork('writer');
  const model = new Model();
  const open = (flag: 'w' | 'r+') =>
    stage.run(0, () => writer.open('/f', flag, { layout: overTwo }));
  let file = await open('w');
  for (let step = 0; step < steps; step++) {
    if (fault !== 'none' && random.chance(0.2)) {
      const daemon = fault === 'mgr' ? stage.cluster.mgr : stage.iod(random.below(2)).process;
      if (daemon.alive) stage.bounce(daemon, 1000);
    }
    const at = random.below(pagesMax * page);
    if (random.chance(0.25)) {
      await stage.run(0, () => file.truncate(at));
      model.cut(at);
    } else {
      const text = Buffer.alloc(1 + random.below(3 * page), 1 + step);
      await stage.run(0, () => file.write(text, at));
      model.write(text, at);
    }
    const next = random.below(3);
    if (next === 0) {
      await stage.run(0, () => file.close());
      await stage.run(1, () => check(t, other, model));
      file = await open('r+');
    } else if (next === 1) await stage.run(1, () => check(t, other, model));
  }
  await stage.run(0, () => file.close());
  await stage.run(1, () => check(t, other, model));
}

for (const [fault, seeds] of Object.entries(faults)) {
  test(`what is no hole is found, and counted, whoever dies: ${fault}`, async (t) => {
    for (const seed of seeds) await run(t, seed, fault as keyof typeof faults);
  });
}
