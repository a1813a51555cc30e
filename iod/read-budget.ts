/** Bounds the bytes of reads under way, from the request until the network has taken them. */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';

const retryAfterMs = 20;

export class ReadBudget {
  #bytes = 0;
  readonly #bytesOfPeer = new WeakMap<object, number>();

  /** @throws FsError EAGAIN WEFT_E_BUSY */
  take(peer: object, bytes: number): void {
    const bytesOfPeer = (this.#bytesOfPeer.get(peer) ?? 0) + bytes;
    if (bytesOfPeer > limits.readBytesPerPeerMax || this.#bytes + bytes > limits.readBytesMax) {
      throw new FsError('EAGAIN', {
        id: 'WEFT_E_BUSY',
        what: `${bytesOfPeer} bytes of reads are under way to this client`,
        retryAfterMs,
      });
    }
    this.#bytesOfPeer.set(peer, bytesOfPeer);
    this.#bytes += bytes;
  }

  give(peer: object, bytes: number): void {
    this.#bytesOfPeer.set(peer, (this.#bytesOfPeer.get(peer) ?? 0) - bytes);
    this.#bytes -= bytes;
  }
}
