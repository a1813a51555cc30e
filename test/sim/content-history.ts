/**
 * Everything that was ever done to the bytes of one file, with begin and end of each act, to judge
 * what a read or a stat may give. A write fills its range with a value of its own, so each byte
 * tells who wrote it. An act that has not ended, or whose outcome is not known, may have happened
 * or not, in any part. Pure.
 */
import { iodOfColumn, columnOf, type Layout } from '../../shared/stripe.ts';

/** From when to when something happened, in virtual time. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

export interface Act extends Span {
  readonly kind: 'write' | 'truncate';
  /** What it leaves behind in its range: 0 of a truncation. */
  readonly value: number;
  /** An append has no place before it has ended: -1. */
  from: number;
  to: number;
  end: number;
  /** It may have happened in part: nothing is sure of it. */
  isSure: boolean;
  /** Durable: no power loss takes it away. */
  isStable: boolean;
}

/** A power loss of an iod, or of the mgr. */
export interface Loss {
  readonly who: number | 'mgr';
  readonly at: number;
}

export class ContentHistory {
  readonly layout: Layout;
  readonly #acts: Act[] = [
    {
      kind: 'truncate',
      value: 0,
      from: 0,
      to: Infinity,
      begin: -1,
      end: -1,
      isSure: true,
      isStable: true,
    },
  ];
  readonly #losses: readonly Loss[];
  readonly #smallFileBytes: number;
  #values = 0;

  /**
   * @param losses also those that are still to come
   * @param smallFileBytes that a file may have at the mgr
   */
  constructor(layout: Layout, losses: readonly Loss[], smallFileBytes: number) {
    this.layout = layout;
    this.#losses = losses;
    this.#smallFileBytes = smallFileBytes;
  }

  /** A value for one write; `undefined` when all have been used. */
  nextValue(): number | undefined {
    return this.#values < 250 ? ++this.#values : undefined;
  }

  /** @param range `undefined`: an append, whose place is not known yet */
  beginWrite(value: number, begin: number, range?: { from: number; to: number }): Act {
    const { from, to } = range ?? { from: -1, to: -1 };
    return this.#begin({ kind: 'write', value, from, to, begin });
  }

  beginTruncate(size: number, begin: number): Act {
    return this.#begin({ kind: 'truncate', value: 0, from: size, to: Infinity, begin });
  }

  add(act: Act): void {
    this.#acts.push(act);
  }

  /** It was about another file. */
  remove(act: Act): void {
    const at = this.#acts.indexOf(act);
    if (at >= 0) this.#acts.splice(at, 1);
  }

  /** The act has taken place, as a whole. */
  static done(act: Act, end: number): void {
    act.end = end;
    act.isSure = true;
    if (act.kind === 'truncate') act.isStable = true;
  }

  /** @throws Error when the bytes can not have been there */
  checkRead(position: number, bytes: Uint8Array, span: Span): void {
    for (let at = 0; at < bytes.length;) {
      const value = bytes[at] ?? 0;
      let end = at + 1;
      while (end < bytes.length && bytes[end] === value) end++;
      this.#checkRun(value, position + at, position + end, span);
      at = end;
    }
  }

  /** @throws Error when the file can not have been so long */
  checkSize(size: number, span: Span): void {
    const [least, most] = this.sizes(span);
    if (size >= least && size <= most) return;
    throw new Error(`I1: size ${size} is not between ${least} and ${most}; ${this.print()}`);
  }

  /** Least and greatest size that the file may have had within the span. */
  sizes(span: Span): readonly [number, number] {
    let least = 0;
    let most = 0;
    for (const act of this.#acts) {
      if (act.begin >= span.end) continue;
      most = Math.max(most, this.#mostOf(act, span));
      if (this.#isSureBefore(act, span)) least = Math.max(least, this.#leastOf(act, span));
    }
    return [least, most];
  }

  /** For failure reports. */
  print(): string {
    const { base, pcount, total } = this.layout;
    const lines = this.#acts.map(
      ({ kind, value, from, to, begin, end, isSure, isStable }) =>
        `${kind} ${value} [${from}, ${to}) from ${begin.toFixed(1)} to ${end.toFixed(1)}` +
        `${isSure ? '' : ' unsure'}${isStable ? ' stable' : ''}`,
    );
    const losses = this.#losses.map(
      ({ who, at }) => `${nameOf(who)} lost power at ${at.toFixed(1)}`,
    );
    return [`layout ${base}/${pcount}/${total}`, ...lines, ...losses].join('\n  ');
  }

  #begin(act: Pick<Act, 'kind' | 'value' | 'from' | 'to' | 'begin'>): Act {
    const made: Act = { ...act, end: Infinity, isSure: false, isStable: false };
    this.#acts.push(made);
    return made;
  }

  /** How long the act has made the file at least, with all truncations that can be after it. */
  #leastOf(act: Act, span: Span): number {
    let size = sizeOf(act);
    for (const cut of this.#acts) {
      const mayFollow = cut !== act && cut.kind === 'truncate' && cut.end > act.begin;
      if (mayFollow && cut.begin < span.end) size = Math.min(size, cut.from);
    }
    return size;
  }

  /** How long it has made the file at most, with only the truncations that are surely after it. */
  #mostOf(act: Act, span: Span): number {
    if (act.begin >= span.end) return 0;
    let size = act.from < 0 ? Infinity : sizeOf(act);
    for (const cut of this.#acts) {
      const follows = cut.kind === 'truncate' && cut.isSure && cut.begin > act.end;
      if (follows && cut.end < span.begin) size = Math.min(size, cut.from);
    }
    return size;
  }

  #checkRun(value: number, from: number, to: number, span: Span): void {
    const edges = new Set([from, to]);
    for (const act of this.#acts) {
      for (const edge of [act.from, act.to]) if (edge > from && edge < to) edges.add(edge);
    }
    const { ssize } = this.layout;
    for (let edge = Math.ceil(from / ssize) * ssize; edge < to; edge += ssize) edges.add(edge);
    const sorted = [...edges].toSorted((a, b) => a - b);
    for (const [i, start] of sorted.entries()) {
      const end = sorted[i + 1];
      if (end === undefined || this.#mayBe(value, start, end, span)) continue;
      throw new Error(
        `I1: bytes ${start} to ${end} read as ${value} from ${span.begin.toFixed(1)} to ` +
          `${span.end.toFixed(1)}; ${this.print()}`,
      );
    }
  }

  /** Whether one act can have left this value in all of the range, which lies in one stripe. */
  #mayBe(value: number, from: number, to: number, span: Span): boolean {
    const iod = iodOfColumn(this.layout, columnOf(this.layout, from));
    return this.#acts.some((act) => {
      if (act.value !== value || act.begin >= span.end) return false;
      const covers = act.from < 0 || (act.from <= from && act.to >= to);
      return covers && !this.#isOverwritten(act, from, to, span, iod);
    });
  }

  #isOverwritten(act: Act, from: number, to: number, span: Span, iod: number): boolean {
    return this.#acts.some(
      (later) =>
        later.begin > act.end &&
        later.from >= 0 &&
        later.from <= from &&
        later.to >= to &&
        this.#isSureBefore(later, span, iod),
    );
  }

  /** It had happened before the span began, and no power loss can have undone it. */
  #isSureBefore(act: Act, span: Span, iod?: number): boolean {
    if (!act.isSure || act.end >= span.begin) return false;
    if (act.isStable) return true;
    return !this.#losses.some(({ who, at }) => {
      if (at <= act.begin || at >= span.end) return false;
      return who === 'mgr' ? this.#mayBeAtMgr(act) : iod === undefined || who === iod;
    });
  }

  /** A file that was surely too long for the mgr once has its bytes at the iods for good. */
  #mayBeAtMgr(act: Act): boolean {
    if (act.to > this.#smallFileBytes) return false;
    return !this.#acts.some(
      (one) => one.isSure && one.end < act.begin && sizeOf(one) > this.#smallFileBytes,
    );
  }
}

function nameOf(who: Loss['who']): string {
  return who === 'mgr' ? who : `iod${who}`;
}

function sizeOf({ kind, from, to }: Act): number {
  return kind === 'truncate' ? from : to;
}
