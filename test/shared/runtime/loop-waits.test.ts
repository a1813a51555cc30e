import test from 'ava';
import { LoopWaits } from '../../../shared/runtime/node/loop-waits.ts';

/** An event loop whose turns the test takes. */
class Loop {
  time = 0;
  #next: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  soon(run: () => void): void {
    this.#next.push(run);
  }

  get isLooking(): boolean {
    return this.#next.length > 0;
  }

  /** Does what was to be done soon. */
  turn(): void {
    for (const run of this.#next.splice(0)) run();
  }
}

const short = 100;
const long = 1_000_000;

/** Waits of a process that is woken late, until it looks whenever it may. */
function looker(): { readonly loop: Loop; readonly waits: LoopWaits } {
  const loop = new Loop();
  const waits = new LoopWaits({ now: () => loop.now(), soon: (run) => loop.soon(run) });
  for (let i = 0; i < 300; i++) exchange(loop, waits);
  return { loop, waits };
}

/** @returns whether it was looked for what came */
function exchange(loop: Loop, waits: LoopWaits): boolean {
  waits.sent(short);
  const { isLooking } = loop;
  loop.time += isLooking ? 0.01 : 0.08;
  loop.turn();
  waits.received();
  loop.turn();
  return isLooking;
}

test('who was woken late looks for what comes, and looks no longer than until it has come', (t) => {
  const { loop, waits } = looker();
  for (let i = 0; i < 100; i++) {
    t.true(exchange(loop, waits));
    t.false(loop.isLooking);
  }
});

test('what does not come is not looked for for long; what is sent meanwhile is', (t) => {
  const { loop, waits } = looker();
  waits.sent(short);
  loop.time += 0.06;
  loop.turn();
  t.true(loop.isLooking);
  waits.sent(short);
  loop.time += 0.06;
  loop.turn();
  t.true(loop.isLooking);
  loop.time += 0.06;
  loop.turn();
  t.false(loop.isLooking);
  loop.turn();
  t.false(loop.isLooking);
});

test('who sends or has taken much leaves the processor to others', (t) => {
  const { loop, waits } = looker();
  waits.sent(long);
  t.false(loop.isLooking);
  waits.received();
  t.true(exchange(loop, waits));
  waits.received();
  waits.took(long);
  waits.sent(short);
  t.false(loop.isLooking);
  waits.received();
  waits.took(short);
  t.true(exchange(loop, waits));
});

test('a look ends when much is sent', (t) => {
  const { loop, waits } = looker();
  waits.sent(short);
  t.true(loop.isLooking);
  waits.sent(long);
  loop.turn();
  t.false(loop.isLooking);
});
