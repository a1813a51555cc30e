/** Listens at a free port, says which, and sends back whatever it gets. */
import { makeNet } from '../../../shared/runtime/node/net.ts';
import { silentLog } from '../../../shared/runtime/log.ts';
import { entryBytes, loopback } from './recorder.ts';

const listener = await makeNet({ log: silentLog }).listen({
  endpoint: loopback,
  connectionsMax: 1000,
  accept: (channel) => ({
    payloadSink: () => undefined,
    entry: (body) => {
      channel.send([entryBytes(body)]);
    },
    drained: () => undefined,
    closed: () => undefined,
  }),
});
process.stdout.write(`${listener.endpoint.kind === 'tcp' ? listener.endpoint.port : 0}\n`);
