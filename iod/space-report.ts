/** What an iod tells the mgr of its disk: what is known by now. */
import { toFsError } from '../shared/errno.ts';
import type { DiskSpace, Runtime } from '../shared/runtime/runtime.ts';
import type { Quarantine } from './storage/quarantine.ts';

export class SpaceReport {
  readonly #runtime: Pick<Runtime, 'disk' | 'log'>;
  readonly #dataDirectory: string;
  readonly #quarantine: Quarantine;
  #space: DiskSpace = { device: 0, totalBytes: 0, freeBytes: 0, totalFiles: 0, freeFiles: 0 };

  constructor(
    runtime: Pick<Runtime, 'disk' | 'log'>,
    dataDirectory: string,
    quarantine: Quarantine,
  ) {
    this.#runtime = runtime;
    this.#dataDirectory = dataDirectory;
    this.#quarantine = quarantine;
  }

  get latest() {
    return { ...this.#space, quarantined: this.#quarantine.count };
  }

  /** @throws FsError of the disk */
  async look(): Promise<void> {
    this.#space = await this.#runtime.disk.space(this.#dataDirectory);
  }

  /** The latest, and the next one will be newer: a report must not wait for a slow disk (SCENARIOS 224). */
  report(): SpaceReport['latest'] {
    this.look().catch((error: unknown) => {
      this.#runtime.log.warn('space unknown', { why: toFsError(error).message });
    });
    return this.latest;
  }
}
