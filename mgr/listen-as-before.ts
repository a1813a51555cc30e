/** Where a mgr listens: without a port of its choice at that of its last start, if it is free. */
import { isFsError } from '../shared/errno.ts';
import type { Acceptor } from '../shared/rpc/acceptor.ts';
import type { Mgr, MgrConfig } from './mgr.ts';

type Place = Awaited<ReturnType<Mgr['start']>>;

/** @throws FsError WEFT_E_PORT_TAKEN, and as `Net.listen` */
export async function listenAsBefore(
  acceptor: Pick<Acceptor, 'listen'>,
  { host, port, portBefore }: Pick<MgrConfig, 'host' | 'port' | 'portBefore'>,
): Promise<Place> {
  if (port === 0 && portBefore !== 0) {
    try {
      return await listenAt(acceptor, host, portBefore);
    } catch (error) {
      if (!isFsError(error) || error.code !== 'EADDRINUSE') throw error;
    }
  }
  return listenAt(acceptor, host, port);
}

async function listenAt(
  acceptor: Pick<Acceptor, 'listen'>,
  host: string,
  port: number,
): Promise<Place> {
  const endpoint = await acceptor.listen({ kind: 'tcp', host, port });
  return { host, port: endpoint.kind === 'tcp' ? endpoint.port : port };
}
