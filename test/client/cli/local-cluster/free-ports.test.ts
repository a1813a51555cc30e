import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import * as fc from 'fast-check';
import { freePorts, portsToKeep } from '../../../../client/cli/local-cluster/free-ports.ts';

test('ports are different from each other, and can be listened on', async (t) => {
  const ports = await freePorts(20, '127.0.0.1');
  t.is(new Set(ports).size, 20);
  for (const port of ports.slice(0, 3)) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  }
});

test('no port is given twice to one process, though nobody listens on the first yet', async (t) => {
  const ports: number[] = [];
  for (let i = 0; i < 40; i++) ports.push(...(await freePorts(100, '127.0.0.1')));
  t.is(new Set(ports).size, ports.length);
});

test('ports that the system lends to outgoing connections are left alone', (t) => {
  t.deepEqual(portsToKeep({ first: 32_768, last: 60_999 }), { first: 10_240, last: 32_767 });
  t.deepEqual(portsToKeep({ first: 10_000, last: 49_151 }), { first: 49_152, last: 65_535 });
});

test('where the system lends them all, any must do', (t) => {
  t.deepEqual(portsToKeep({ first: 1024, last: 65_535 }), { first: 10_240, last: 65_535 });
});

test('there is always a range of valid ports with room', (t) => {
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const kept = portsToKeep({ first: Math.min(a, b), last: Math.max(a, b) });
      return kept.first >= 10_240 && kept.last <= 65_535 && kept.last - kept.first >= 999;
    }),
  );
  t.pass();
});
