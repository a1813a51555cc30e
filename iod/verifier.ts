/**
 * Tells a client at `sync` whether all that this iod acknowledged since its write is still there.
 * A restart of the process loses nothing: the system holds the pages. A restart of the host does,
 * and so does a failed sync (SCENARIOS 4, 218).
 */
import { checksumOf } from '../shared/checksum.ts';

export interface VerifierOptions {
  readonly bootId: string;
  readonly storeId: string;
  /** How many syncs of this store have failed, ever. */
  readonly losses: number;
}

/** @returns 32 bits; equal ones mean that nothing was lost in between */
export function makeVerifier({ bootId, storeId, losses }: VerifierOptions): number {
  return checksumOf([Buffer.from(`${bootId} ${storeId} ${losses}`)]);
}
