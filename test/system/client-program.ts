/**
 * A client in a process of its own, for tests that kill, stop or race clients:
 * `client-program.ts URL ACT PATH [NUMBER]`. It prints a line when it has begun. A program: nothing
 * imports it.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect, isFsError } from '../../client/index.ts';
import { pattern } from './patterns.ts';

const [url = '', act = '', path = '', number = '0'] = process.argv.slice(2);
const id = Number(number);
const fs = await connect(url, {
  callDeadlineMs: 120_000,
  deadlineMs: 120_000,
  writeBehind: act === 'behind',
});
const bytes = pattern(id, 0, 512 * 1024);

/** One question after another. */
async function ask(): Promise<never> {
  for (;;) await fs.stat(path);
}

/** For ever, until somebody kills this process in the middle of it. */
async function repeat(call: (round: number) => Promise<unknown>): Promise<never> {
  for (let round = 0; ; round++) {
    await Promise.all([call(3 * round), call(3 * round + 1), call(3 * round + 2)]);
    if (round === 0) process.stdout.write('begun\n');
  }
}

const acts: Readonly<Record<string, () => Promise<void>>> = {
  async create() {
    await repeat((round) => fs.open(`${path}-${round}`, 'wx'));
  },
  async write() {
    const file = await fs.open(path, 'w');
    await repeat((round) => file.write(bytes, (round % 16) * bytes.length));
  },
  /** Asks for a path so many times at once. */
  async flood() {
    await Promise.all(Array.from({ length: id }, () => fs.stat(path)));
    process.stdout.write('begun\n');
    await Promise.all(Array.from({ length: id }, ask));
  },
  async append() {
    const file = await fs.open(path, 'a');
    await repeat(() => file.write(bytes));
  },
  async truncate() {
    const file = await fs.open(path, 'w');
    await file.write(bytes, 0);
    await repeat((round) => file.truncate((round % 7) * 100_000));
  },
  async rename() {
    await fs.open(`${path}-0`, 'w');
    await fs.open(`${path}-1`, 'w');
    await fs.open(`${path}-2`, 'w');
    await repeat((round) => fs.rename(`${path}-${round}`, `${path}-${round + 3}`));
  },
  async close() {
    await repeat(async (round) => (await fs.open(`${path}-${round % 16}`, 'w')).close());
  },
  /** Holds a file without a name; at a word, tells what has become of it. */
  async hold() {
    const file = await fs.open(path, 'w+');
    await file.write(bytes, 0);
    await fs.unlink(path);
    process.stdout.write('begun\n');
    await once(createInterface({ input: process.stdin }), 'line');
    const outcome = await file.read(Buffer.alloc(1), 0).catch((error: unknown) => error);
    process.stdout.write(`${isFsError(outcome) ? outcome.weftCode : String(outcome)}\n`);
  },
  /** In order and in small pieces, behind its own back; so many bytes are synced when it has begun. */
  async behind() {
    const file = await fs.open(path, 'w');
    const write = async (at: number): Promise<void> => {
      await file.write(pattern(0, at, 4992), at);
    };
    for (let at = 0; at < id; at += 4992) await write(at);
    await file.sync();
    process.stdout.write('begun\n');
    for (let at = Math.ceil(id / 4992) * 4992; ; at += 4992) await write(at);
  },
  /** Every fourth stretch of a file that four write at once. */
  async disjoint() {
    const file = await fs.open(path, 'r+');
    const stretch = 40_000;
    process.stdout.write('begun\n');
    for (let i = id; i < 200; i += 4) await file.write(pattern(i, 0, stretch), i * stretch);
    await file.close({ sync: true });
  },
  /**
   * Lines that tell who wrote them, at the end of a file that four append to at once, until the word
   * `enough` comes. Tells how many there are at any other word, and at the end.
   */
  async lines() {
    const file = await fs.open(path, 'a');
    const stop = new AbortController();
    let count = 0;
    createInterface({ input: process.stdin }).on('line', (word) => {
      if (word === 'enough') stop.abort();
      else process.stdout.write(`${count}\n`);
    });
    process.stdout.write('begun\n');
    for (; !stop.signal.aborted; count++) {
      await file.write(Buffer.from(`${id} ${count} ${'.'.repeat((count % 100) * 7)}\n`));
    }
    await file.close({ sync: true });
    process.stdout.write(`${count}\n`);
    process.stdin.destroy();
  },
};

await acts[act]?.();
await fs.close();
