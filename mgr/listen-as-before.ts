/** Where a mgr listens: without a port of its choice at that of its last start, if it is free. */
import { isFsError } from '../shared/errno.ts';
import { namesOfMgr } from '../shared/mgr-endpoints.ts';
import type { Acceptor } from '../shared/rpc/acceptor.ts';
import type { Net } from '../shared/runtime/runtime.ts';
import type { Mgr, MgrOptions } from './mgr.ts';

type Place = Awaited<ReturnType<Mgr['start']>>;
type Listening = Pick<Acceptor, 'listen'>;

/** @throws FsError WEFT_E_PORT_TAKEN, and as `Net.listen` */
export async function listenAsBefore(
  acceptor: Listening,
  { runtime, config }: Pick<MgrOptions, 'runtime' | 'config'>,
): Promise<Place> {
  const { net } = runtime;
  const { host, port, portBefore } = config;
  if (port !== 0) return listenAt(acceptor, net, { host, port });
  if (portBefore !== 0) {
    try {
      return await listenAt(acceptor, net, { host, port: portBefore });
    } catch (error) {
      if (!isFsError(error) || error.code !== 'EADDRINUSE') throw error;
    }
  }
  return listenAnywhere(acceptor, net, host);
}

/** At port and name, or at none. First the name: who finds the port alone stays there. */
async function listenAt(acceptor: Listening, net: Net, place: Place): Promise<Place> {
  await acceptor.listen({ kind: 'tcp', ...place }, await namesOfMgr(net, place));
  return place;
}

/** The name follows from the port, so that must be known first. */
async function listenAnywhere(acceptor: Listening, net: Net, host: string): Promise<Place> {
  const endpoint = await acceptor.listen({ kind: 'tcp', host, port: 0 });
  const place = { host, port: endpoint.kind === 'tcp' ? endpoint.port : 0 };
  for (const name of await namesOfMgr(net, place)) await acceptor.listen(name);
  return place;
}
