/** Which process dies at which kill point, and how often each point was passed. Pure. */
import type { KillPoint } from '../../../shared/runtime/kill-points.ts';

export interface PlannedKill {
  readonly point: KillPoint;
  /** Who must pass it; anybody when not given. */
  readonly process?: string;
  /** Which passing strikes, counted from 1 since the kill was armed. */
  readonly passing?: number;
  /** Who dies; the one who passes when not given. */
  readonly victims?: readonly string[];
  /** The hosts of the victims lose power. */
  readonly powerLoss?: boolean;
  /** The victims (and their hosts) start again after this time; they stay dead when not given. */
  readonly restartAfterMs?: number;
}

interface Series {
  readonly kills: readonly PlannedKill[];
  index: number;
  passings: number;
}

export class KillPlan {
  readonly #series: Series[] = [];
  readonly #passings = new Map<KillPoint, number>();
  #struck = 0;

  /** Kills that happen one after another: each is armed when the one before has struck. */
  add(kills: readonly PlannedKill[]): void {
    this.#series.push({ kills, index: 0, passings: 0 });
  }

  /** The kills that have not happened yet will not. */
  disarm(): void {
    this.#series.length = 0;
  }

  /** How many kills have happened. */
  get struck(): number {
    return this.#struck;
  }

  /** Kills that have not happened yet. */
  get pending(): number {
    return this.#series.reduce((sum, { kills, index }) => sum + kills.length - index, 0);
  }

  /** How often anybody passed `point`. */
  passings(point: KillPoint): number {
    return this.#passings.get(point) ?? 0;
  }

  /** `process` passes `point`. @returns the kills that this brings about */
  pass(process: string, point: KillPoint): PlannedKill[] {
    this.#passings.set(point, this.passings(point) + 1);
    return this.#series.flatMap((series) => {
      const kill = series.kills[series.index];
      if (kill?.point !== point || (kill.process ?? process) !== process) return [];
      if (++series.passings < (kill.passing ?? 1)) return [];
      series.index++;
      series.passings = 0;
      this.#struck++;
      return [kill];
    });
  }
}
