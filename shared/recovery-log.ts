/**
 * The reports of a daemon's recoveries: the latest ones, each a file of its own in the directory of
 * the daemon. To write one is never worth a recovery: what fails is logged, and that is all.
 */
import { join } from 'node:path';
import { makeDirectoryDurably, readFileIfThere, replaceFileDurably } from './durable-names.ts';
import { isFsError, toFsError } from './errno.ts';
import { limits } from './limits.ts';
import type { UnnumberedReport } from './recovery.ts';
import { decodeRecovery, encodeRecovery, type RecoveryReport } from './recovery-report.ts';
import type { Runtime } from './runtime/runtime.ts';

/** Within a data directory. */
const directoryName = 'recoveries';
const fileName = /^(\d{1,15})\.json$/;

export class RecoveryLog {
  readonly #runtime: Pick<Runtime, 'disk' | 'log'>;
  readonly #directory: string | undefined;
  /** By number, the oldest first. */
  #reports: RecoveryReport[] = [];
  #numbers = 0;
  #written: Promise<void> = Promise.resolve();

  /** @param dataDirectory `undefined`: the reports go with the process */
  constructor(runtime: Pick<Runtime, 'disk' | 'log'>, dataDirectory: string | undefined) {
    this.#runtime = runtime;
    this.#directory = dataDirectory && join(dataDirectory, directoryName);
  }

  /** Reads what earlier processes have left. Never rejects. */
  open(): Promise<void> {
    return this.#inTurn(async (directory) => {
      const { disk } = this.#runtime;
      if ((await disk.stat(directory)) === undefined) return;
      const numbers = (await disk.list(directory)).flatMap(numberOf).toSorted((a, b) => a - b);
      this.#numbers = Math.max(this.#numbers, ...numbers.slice(-1));
      for (const number of numbers.slice(-limits.recoveriesKept)) {
        const report = await this.#read(pathOf(directory, number));
        if (report !== undefined) this.#reports.push({ ...report, number });
      }
    });
  }

  /** Durable when `settled` resolves, unless the disk fails. @returns it with its number */
  add(unnumbered: UnnumberedReport): RecoveryReport {
    const report = { number: ++this.#numbers, ...unnumbered };
    void this.#inTurn(async (directory) => {
      await makeDirectoryDurably(this.#runtime.disk, directory);
      const content = Buffer.from(`${encodeRecovery(report)}\n`);
      await replaceFileDurably(this.#runtime.disk, pathOf(directory, report.number), content);
      await this.#removeOld(directory);
    });
    this.#reports = [...this.#reports, report].slice(-limits.recoveriesKept);
    const { cause, why, outcome, tookMs } = report;
    this.#runtime.log.info('recovery ended', { cause, why, outcome, tookMs });
    return report;
  }

  /** `undefined` before the first. */
  get latest(): RecoveryReport | undefined {
    return this.#reports.at(-1);
  }

  /** All that are kept, the oldest first. */
  get reports(): readonly RecoveryReport[] {
    return this.#reports;
  }

  /** The latest reports before `before` first, as many as fit in a message. */
  page(before: number): { readonly reports: readonly string[]; readonly done: boolean } {
    const earlier = this.#reports.filter(({ number }) => number < before);
    const page = earlier.slice(-limits.recoveriesPerPage).toReversed();
    return { reports: page.map(encodeRecovery), done: page.length === earlier.length };
  }

  /** What was added is written, or could not be. */
  settled(): Promise<void> {
    return this.#written;
  }

  #inTurn(work: (directory: string) => Promise<void>): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) return Promise.resolve();
    this.#written = this.#written.then(async () => {
      try {
        await work(directory);
      } catch (error) {
        this.#runtime.log.warn('recovery report not kept', { why: toFsError(error).message });
      }
    });
    return this.#written;
  }

  async #read(path: string): Promise<RecoveryReport | undefined> {
    try {
      const content = await readFileIfThere(this.#runtime.disk, path);
      return content && decodeRecovery(content.toString('utf8'));
    } catch (error) {
      if (!isFsError(error)) throw error;
      this.#runtime.log.warn('recovery report unreadable', { path, why: error.message });
      return undefined;
    }
  }

  /** Those that a crash has left behind their time go too. */
  async #removeOld(directory: string): Promise<void> {
    const { disk } = this.#runtime;
    const last = this.#numbers - limits.recoveriesKept;
    for (const number of (await disk.list(directory)).flatMap(numberOf)) {
      if (number <= last) await disk.remove(pathOf(directory, number));
    }
  }
}

function pathOf(directory: string, number: number): string {
  return join(directory, `${number}.json`);
}

function numberOf(name: string): number[] {
  const [, digits] = fileName.exec(name) ?? [];
  return digits === undefined ? [] : [Number(digits)];
}
