/**
 * The iods as a client reaches them: one reconnecting link each, made when first needed, over a
 * unix socket where that is possible, with a window of payload bytes in flight.
 */
import { BufferPool } from '../shared/buffer-pool.ts';
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { Link } from '../shared/rpc/link.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import type { Endpoint } from '../shared/runtime/runtime.ts';
import type { IodIndex } from '../shared/units.ts';
import type { DirectReads } from './direct-reads.ts';
import type { MgrSession } from './mgr-session.ts';

export type MakeDirectReads = (session: MgrSession, iods: IodPool) => DirectReads;

export class IodPool {
  readonly #session: MgrSession;
  readonly #buffers = new BufferPool(limits.packetBytesMax);
  /** What is read without the iods. */
  readonly direct: DirectReads | undefined;
  readonly #links = new Map<IodIndex, Link>();
  #contactListener: ((index: IodIndex, reason: FsError | undefined) => void) | undefined;
  #closed: FsError | undefined;

  /** @param makeDirect where clients may be on the host of an iod */
  constructor(session: MgrSession, makeDirect?: MakeDirectReads) {
    this.#session = session;
    this.direct = makeDirect?.(session, this);
    session.waitsAlso(() => this.#waits());
    session.onLost((_, error) => {
      // They have proved the key of the lost session.
      this.#drop(error);
    });
  }

  /** @throws FsError of `close` */
  iod(index: IodIndex): Link {
    if (this.#closed) throw this.#closed;
    let link = this.#links.get(index);
    if (link === undefined) {
      link = this.#linkTo(index);
      this.#links.set(index, link);
    }
    return link;
  }

  /** Those that were ever asked for anything, for figures. */
  get links(): Iterable<readonly [IodIndex, Pick<Link, 'isUp' | 'running'>]> {
    return this.#links;
  }

  /** `listener` hears why an iod cannot be reached, and with `undefined` that it can again. */
  onContact(listener: (index: IodIndex, reason: FsError | undefined) => void): void {
    this.#contactListener = listener;
  }

  close(reason: FsError): void {
    this.#closed ??= reason;
    this.#drop(reason);
  }

  *#waits(): Iterable<Waiting> {
    for (const link of this.#links.values()) yield* link.waits();
  }

  #drop(reason: FsError): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    this.direct?.close();
    for (const link of links) link.close(reason);
  }

  #linkTo(index: IodIndex): Link {
    const session = this.#session;
    let attempts = 0;
    return new Link({
      runtime: session.runtime,
      self: session.self,
      epochs: session.epochs,
      buffers: this.#buffers,
      expect: 'iod',
      name: `iod ${index}`,
      persistent: false,
      windowBytes: limits.windowBytesPerIod,
      meter: () => session.meter,
      endpoints: () => {
        // It may have come back elsewhere: the next attempt knows, if the mgr answers. This one
        // does not wait for that: without a mgr, iods are reached where they were.
        if (attempts++ > 0) session.refreshMembers().catch(() => undefined);
        return endpointsOf(session, index);
      },
      credential: () => {
        const { id, key } = session.session;
        return { kind: 'session', name: String(id), key };
      },
      onUp: async () => {
        attempts = 0;
        this.#contactListener?.(index, undefined);
        await Promise.resolve();
      },
      onDown: (reason) => {
        this.#contactListener?.(index, reason);
      },
      onFinal: (error) => {
        if (error.weftCode === 'WEFT_E_SESSION_LOST') session.giveUp(error);
      },
    });
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
