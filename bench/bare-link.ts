/** One link and the end that answers it, with no daemon and no key: what calls alone cost. */
import { noSecret } from '../shared/auth.ts';
import { BufferPool } from '../shared/buffer-pool.ts';
import { limits } from '../shared/limits.ts';
import { Acceptor } from '../shared/rpc/acceptor.ts';
import { EpochWatch } from '../shared/rpc/epoch-watch.ts';
import { anonymous, serveLink } from '../shared/rpc/handshake.ts';
import { Link } from '../shared/rpc/link.ts';
import type { Service } from '../shared/rpc/service.ts';
import type { Endpoint, Runtime } from '../shared/runtime/runtime.ts';

/** @returns where it listens */
export function answerAt(
  endpoint: Endpoint,
  runtime: Runtime,
  service: Service,
): Promise<Endpoint> {
  const peer = { incarnation: 1, trusted: true, session: undefined, user: undefined } as const;
  const acceptor = new Acceptor({
    runtime,
    self: { role: 'iod', node: 'iod0', incarnation: 1, cluster: () => '' },
    epochs: new EpochWatch(),
    buffers: new BufferPool(32 * limits.payloadBytesMax),
    service: serveLink(service),
    admit: ({ node }) => ({ key: noSecret, peer: { role: 'client', node, ...peer } }),
  });
  return acceptor.listen(endpoint);
}

export function linkTo(endpoint: Endpoint, runtime: Runtime): Link {
  return new Link({
    runtime,
    self: { role: 'client', node: 'bench', incarnation: 1, cluster: () => '' },
    epochs: new EpochWatch(),
    expect: 'iod',
    name: 'iod0',
    persistent: true,
    endpoints: () => [endpoint],
    credential: () => anonymous,
  });
}
