/** The figures of a run, each beside the same with nothing open or killed, and beside its bound. */
import type { Limit, Row, Unit } from '../rows.ts';
import type { Start } from './daemon.ts';

export class Figures {
  readonly rows: Row[];
  readonly #group: string;

  /** @param rows they are added to these */
  constructor(group: string, rows: Row[]) {
    this.#group = group;
    this.rows = rows;
  }

  add(name: string, value: number, unit: Unit, limit: Limit, cpu?: number): void {
    this.rows.push({ group: this.#group, name, value, unit, limit, cpu });
  }

  /** How long a start took, and what of it is for the opens. */
  start(who: string, { ms, cpuMs }: Start, empty: Start, boundMs: number): void {
    this.add(`${who}: exec to serving`, ms, 'ms', { name: 'nothing open', value: empty.ms }, cpuMs);
    const more = Math.max(0, ms - empty.ms);
    this.add(`${who}: what the opens add to it`, more, 'ms', bound(boundMs), cpuMs - empty.cpuMs);
  }

  /** @returns bytes of each open */
  memory(who: string, mebibytes: number, emptyMebibytes: number, opens: number): number {
    this.add(`${who}: memory`, mebibytes, 'MiB', { name: 'nothing open', value: emptyMebibytes });
    const each = ((mebibytes - emptyMebibytes) * 2 ** 20) / opens;
    this.add(`${who}: memory of each open`, each, 'B', bound(200));
    return each;
  }
}

export function bound(value: number): Limit {
  return { name: 'bound', value };
}
