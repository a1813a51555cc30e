/** How often this disk may have lost what was acknowledged, and the verifier that tells clients. */
import { type FsError, toFsError } from '../shared/errno.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Home } from './boot.ts';
import { makeVerifier } from './verifier.ts';

export class Losses {
  readonly #runtime: Pick<Runtime, 'log' | 'net'>;
  readonly #home: Home;
  /** As `identity.losses`, with those that could not be stored. */
  #count: number;
  #verifier: number;

  constructor(runtime: Pick<Runtime, 'log' | 'net'>, home: Home) {
    this.#runtime = runtime;
    this.#home = home;
    this.#count = home.identity.losses;
    this.#verifier = this.#makeVerifier();
  }

  get count(): number {
    return this.#count;
  }

  get verifier(): number {
    return this.#verifier;
  }

  /** In force at once; stored, it outlives this process too. Never rejects. */
  async note(why: FsError): Promise<void> {
    const { log } = this.#runtime;
    log.error('acknowledged writes may be lost', { why: why.message });
    this.#count++;
    this.#verifier = this.#makeVerifier();
    try {
      await this.#home.change({ losses: this.#count });
    } catch (error) {
      log.error('identity not saved', { why: toFsError(error).message });
    }
  }

  #makeVerifier(): number {
    const { storeId } = this.#home.identity;
    const { bootId } = this.#runtime.net;
    return makeVerifier({ bootId, storeId, losses: this.#count });
  }
}
