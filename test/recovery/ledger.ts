/**
 * What clients were told is done, and whether it is there. A writer that has ended in order has
 * nothing in flight; one that was killed may have done its next step of a lane too, or a part of
 * it. Pure.
 */
import { readBlock } from './blocks.ts';
import {
  blockBytes,
  blocksPerWrite,
  type Lane,
  namesAfter,
  recordBytes,
  slotOf,
  slots,
  writeBytes,
} from './lanes.ts';

/** A step was acknowledged. */
export interface Ack {
  readonly lane: Lane;
  readonly step: number;
  /** `appends`: where it is; `names` and `orphans`: the number of the file that was created. */
  readonly note: number;
}

/** Steps that surely, and that at most, had been done when something was read. */
export interface Done {
  readonly least: number;
  readonly most: number;
}

interface Account {
  readonly steps: Record<Lane, number>;
  /** By step. */
  readonly notes: Record<Lane, Map<number, number>>;
  mayHaveMore: boolean;
}

export class Ledger {
  readonly #accounts = new Map<number, Account>();
  acknowledgements = 0;

  get writers(): readonly number[] {
    return [...this.#accounts.keys()];
  }

  begin(writer: number): void {
    this.#accounts.set(writer, {
      steps: { blocks: 0, appends: 0, names: 0, orphans: 0 },
      notes: { blocks: new Map(), appends: new Map(), names: new Map(), orphans: new Map() },
      mayHaveMore: true,
    });
  }

  /** @throws Error when it is not the next step of its lane */
  acknowledge(writer: number, { lane, step, note }: Ack): void {
    const { steps, notes } = this.#of(writer);
    if (step !== steps[lane]) {
      throw new Error(`${lane} of writer ${writer}: step ${step} came after ${steps[lane] - 1}`);
    }
    steps[lane]++;
    if (note >= 0) notes[lane].set(step, note);
    this.acknowledgements++;
  }

  /** It did what it had begun, and no more. */
  endedInOrder(writer: number): void {
    this.#of(writer).mayHaveMore = false;
  }

  done(writer: number, lane: Lane): Done {
    const { steps, mayHaveMore } = this.#of(writer);
    return { least: steps[lane], most: steps[lane] + (mayHaveMore ? 1 : 0) };
  }

  /** @returns what is wrong with the blocks that were read; empty when nothing is */
  checkBlocks(writer: number, content: Buffer, done = this.done(writer, 'blocks')): string[] {
    const wrong: string[] = [];
    for (let slot = 0; slot < slots; slot++) {
      const allowed = generationsOf(slot, done);
      for (let i = 0; i < blocksPerWrite; i++) {
        const place = slot * writeBytes + i * blockBytes;
        const bytes = content.subarray(place, place + blockBytes);
        const found = bytes.length === 0 ? 'zeros' : readBlock(bytes);
        const isOurs =
          typeof found === 'object' && found.writer === writer && found.place === place;
        const generation = found === 'zeros' ? 0 : isOurs ? found.generation : -1;
        if (allowed.has(generation)) continue;
        wrong.push(
          `blocks of writer ${writer} at ${place}: ${JSON.stringify(found)} ` +
            `instead of generation ${[...allowed].join(' or ')}`,
        );
      }
    }
    return wrong;
  }

  /** Of the file that all writers append to. */
  checkAppends(content: Buffer): string[] {
    const wrong: string[] = [];
    const places = new Map<string, number>();
    const newest = new Map<number, number>();
    let reserved = 0;
    for (let at = 0; at < content.length; at += recordBytes) {
      const found = readBlock(content.subarray(at, at + recordBytes));
      if (found === 'zeros') reserved++;
      if (found === 'damaged') wrong.push(`appends at ${at}: a damaged record`);
      if (typeof found !== 'object') continue;
      const { writer, place: step } = found;
      const key = `${writer} ${step}`;
      if (places.has(key)) wrong.push(`append ${key}: at ${places.get(key)} and again at ${at}`);
      if (step <= (newest.get(writer) ?? -1)) wrong.push(`append ${key}: out of order at ${at}`);
      if (step >= this.done(writer, 'appends').most) wrong.push(`append ${key}: never begun`);
      newest.set(writer, step);
      places.set(key, at);
    }
    for (const [writer, { notes }] of this.#accounts) {
      for (const [step, at] of notes.appends) {
        const found = places.get(`${writer} ${step}`);
        if (found !== at) wrong.push(`append ${writer} ${step}: at ${found} instead of ${at}`);
      }
    }
    // A writer that dies between reserving a place and writing to it leaves zeros.
    const dead = [...this.#accounts.values()].filter(({ mayHaveMore }) => mayHaveMore).length;
    if (reserved > dead) wrong.push(`appends: ${reserved} empty places of ${dead} dead writers`);
    return wrong;
  }

  /** @param listing every path below the directory of the lane, and the number of its file */
  checkNames(
    writer: number,
    lane: 'names' | 'orphans',
    listing: ReadonlyMap<string, number>,
  ): string[] {
    const { least, most } = this.done(writer, lane);
    const candidates = least === most ? [least] : [least, most];
    const differences = candidates.map((steps) => this.#compare(writer, lane, listing, steps));
    if (differences.some((one) => one.length === 0)) return [];
    return (differences[0] ?? []).map(
      (text) => `${lane} of writer ${writer} after ${least} steps: ${text}`,
    );
  }

  #compare(
    writer: number,
    lane: 'names' | 'orphans',
    listing: ReadonlyMap<string, number>,
    steps: number,
  ): string[] {
    const wanted = namesAfter(lane, steps);
    const { notes } = this.#of(writer);
    const wrong: string[] = [];
    for (const [path, made] of wanted) {
      const found = listing.get(path);
      const file = notes[lane].get(made);
      if (found === undefined) wrong.push(`${path} is lost`);
      else if (file !== undefined && found !== file) wrong.push(`${path} is another file`);
    }
    for (const path of listing.keys()) {
      if (!wanted.has(path)) wrong.push(`${path} should not be there`);
    }
    return wrong;
  }

  #of(writer: number): Account {
    const account = this.#accounts.get(writer);
    if (account === undefined) throw new Error(`nobody knows writer ${writer}`);
    return account;
  }
}

/** The generations that a slot may have: 0 for none. */
function generationsOf(slot: number, { least, most }: Done): ReadonlySet<number> {
  let last = 0;
  const later: number[] = [];
  // A slot comes again after `slots` steps.
  for (let step = Math.max(0, least - slots); step < most; step++) {
    if (slotOf(step) !== slot) continue;
    if (step < least) last = step + 1;
    else later.push(step + 1);
  }
  return new Set([last, ...later]);
}
