/** Where clients reach an iod: a TCP port, and a unix socket for those on the same host. */
import { join } from 'node:path';
import { FsError, isFsError, toFsError } from '../shared/errno.ts';
import type { Acceptor } from '../shared/rpc/acceptor.ts';
import type { Logger } from '../shared/runtime/runtime.ts';
import type { Address } from './mgr-contact.ts';

/** `sun_path` of Linux without its closing zero. */
const unixPathBytesMax = 107;

export interface ClientEndpoints {
  readonly host: string;
  /** 0: any, but rather `lastPort`, where clients may look first. */
  readonly port: number;
  readonly lastPort: number;
  readonly dataDirectory: string;
  readonly log: Logger;
}

/** @throws FsError EADDRINUSE WEFT_E_PORT_TAKEN; EACCES, EADDRNOTAVAIL */
export async function listenForClients(
  acceptor: Acceptor,
  { host, port, lastPort, dataDirectory, log }: ClientEndpoints,
): Promise<Address> {
  const wished = port === 0 && lastPort !== 0 ? [lastPort, 0] : [port];
  // First: a client of this host that finds the port alone stays there, where it reads nothing itself.
  const unixPath = await listenOnUnix(acceptor, join(dataDirectory, 'iod.sock'), log);
  const chosen = await listenOnFirst(acceptor, host, wished);
  return { port: chosen, unixPath };
}

async function listenOnFirst(
  acceptor: Acceptor,
  host: string,
  ports: readonly number[],
): Promise<number> {
  let taken: FsError | undefined;
  for (const port of ports) {
    try {
      const endpoint = await acceptor.listen({ kind: 'tcp', host, port });
      return endpoint.kind === 'tcp' ? endpoint.port : port;
    } catch (error) {
      if (!isFsError(error) || error.code !== 'EADDRINUSE') throw error;
      const what = `port ${port} of ${host} is in use`;
      taken = new FsError('EADDRINUSE', { id: 'WEFT_E_PORT_TAKEN', what, cause: error });
    }
  }
  throw taken ?? new FsError('EADDRINUSE', { id: 'WEFT_E_PORT_TAKEN' });
}

/** @returns '' when there is none: clients use TCP then */
async function listenOnUnix(acceptor: Acceptor, path: string, log: Logger): Promise<string> {
  if (Buffer.byteLength(path) > unixPathBytesMax) return '';
  try {
    await acceptor.listen({ kind: 'unix', path });
    return path;
  } catch (error) {
    log.warn('no unix socket', { path, why: toFsError(error).message });
    return '';
  }
}
