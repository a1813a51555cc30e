/**
 * The iods as a client reaches them: one reconnecting link each, made when first needed, over a
 * unix socket where that is possible, with a window of payload bytes in flight.
 */
import { BufferPool } from '../shared/buffer-pool.ts';
import { FsError } from '../shared/errno.ts';
import { Fifo } from '../shared/fifo.ts';
import { limits } from '../shared/limits.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import { Link } from '../shared/rpc/link.ts';
import type { Endpoint } from '../shared/runtime/runtime.ts';
import type { IodIndex } from '../shared/units.ts';
import type { Op } from '../shared/wire/op.ts';
import type { MgrSession } from './mgr-session.ts';

export class IodPool {
  readonly #session: MgrSession;
  readonly #buffers = new BufferPool(limits.packetBytesMax);
  readonly #iods = new Map<IodIndex, IodLink>();

  constructor(session: MgrSession) {
    this.#session = session;
    session.onLost(() => {
      // Its links proved the key of the lost session.
      this.close();
    });
  }

  iod(index: IodIndex): IodLink {
    let iod = this.#iods.get(index);
    if (iod === undefined) {
      iod = new IodLink(this.#session, index, this.#buffers);
      this.#iods.set(index, iod);
    }
    return iod;
  }

  close(): void {
    for (const iod of this.#iods.values()) iod.close();
    this.#iods.clear();
  }
}

/** A call that waits until others have given back enough of the window. */
interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

export class IodLink {
  readonly #link: Link;
  #inFlightBytes = 0;
  readonly #waiting = new Fifo<Waiting>();

  constructor(session: MgrSession, index: IodIndex, buffers: BufferPool) {
    let attempts = 0;
    this.#link = new Link({
      runtime: session.runtime,
      self: session.self,
      epochs: session.epochs,
      buffers,
      expect: 'iod',
      name: `iod ${index}`,
      persistent: false,
      endpoints: async () => {
        // An iod that cannot be reached may have come back elsewhere: the mgr knows.
        if (attempts++ > 0) await session.refreshMembers();
        return endpointsOf(session, index);
      },
      credential: () => {
        const { id, key } = session.session;
        return { kind: 'session', name: String(id), key };
      },
      onUp: async () => {
        attempts = 0;
        await Promise.resolve();
      },
    });
  }

  /** @param payloadBytes what the call brings or fetches: it counts against the window */
  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions, payloadBytes = 0): Promise<R> {
    if (payloadBytes === 0) return this.#link.call(op, request, options);
    if (this.#waiting.size === 0 && this.#hasRoomFor(payloadBytes))
      return this.#start(op, request, options, payloadBytes);
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        bytes: payloadBytes,
        start: () => {
          this.#start(op, request, options, payloadBytes).then(resolve, reject);
        },
      });
    });
  }

  close(): void {
    this.#link.close();
    this.#startWaiting();
  }

  /** One call may always run, however large. */
  #hasRoomFor(bytes: number): boolean {
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= limits.windowBytesPerIod;
  }

  #start<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions, bytes: number): Promise<R> {
    this.#inFlightBytes += bytes;
    const promise = this.#link.call(op, request, options);
    const done = (): void => {
      this.#inFlightBytes -= bytes;
      this.#startWaiting();
    };
    promise.then(done, done);
    return promise;
  }

  #startWaiting(): void {
    for (;;) {
      const next = this.#waiting.peek();
      if (next === undefined || !this.#hasRoomFor(next.bytes)) return;
      this.#waiting.shift();
      next.start();
    }
  }
}

function endpointsOf(session: MgrSession, index: IodIndex): readonly Endpoint[] {
  const member = session.members.find((one) => one.index === index);
  if (member === undefined || member.port === 0) {
    throw new FsError('ECONNREFUSED', {
      id: 'WEFT_E_IOD_DOWN',
      what: member === undefined ? `the mgr knows no iod ${index}` : `${member.name} never started`,
    });
  }
  const tcp: Endpoint = { kind: 'tcp', host: member.host, port: member.port };
  return session.isLocal(member) ? [{ kind: 'unix', path: member.unixPath }, tcp] : [tcp];
}
