import test from 'ava';
import { listenForClients } from '../../iod/client-endpoints.ts';
import type { Acceptor } from '../../shared/rpc/acceptor.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';

test('whoever finds the port of an iod finds its unix socket too', async (t) => {
  const kinds: string[] = [];
  const acceptor: Pick<Acceptor, 'listen'> = {
    listen(endpoint) {
      kinds.push(endpoint.kind);
      return Promise.resolve(endpoint);
    },
  };
  const address = await listenForClients(acceptor as Acceptor, {
    host: '127.0.0.1',
    port: 7000,
    lastPort: 0,
    dataDirectory: '/data',
    log: makeNodeRuntime({ log: 'silent' }).log,
  });
  t.deepEqual(kinds, ['unix', 'tcp']);
  t.deepEqual(address, { port: 7000, unixPath: '/data/iod.sock' });
});
