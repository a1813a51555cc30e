import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { FaultProxy, passing, type Rule } from './fault-proxy.ts';

const host = '127.0.0.1';
const text = 'what goes through';

/** Answers every piece with itself, and an end with an end. */
async function echo(t: ExecutionContext): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
    t.teardown(() => socket.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const proxy = await FaultProxy.listen({ host, port: (server.address() as AddressInfo).port });
  t.teardown(() => proxy.close());
  return proxy;
}

/** One end of a connection, and all that came to it. */
class Caller {
  readonly socket: Socket;
  readonly closed: Promise<string>;
  heard = '';

  constructor(t: ExecutionContext, { port }: { readonly port: number }) {
    this.socket = connect({ host, port, allowHalfOpen: true });
    let how = 'end';
    this.socket.on('error', (error: NodeJS.ErrnoException) => (how = error.code ?? ''));
    this.socket.on('data', (piece: Buffer) => (this.heard += piece.toString()));
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => resolve(how));
      this.socket.once('end', () => this.socket.destroy());
    });
    t.teardown(() => this.socket.destroy());
  }

  async hears(wanted: string): Promise<void> {
    while (this.heard !== wanted) await once(this.socket, 'data');
  }
}

test('bytes and ends pass in both directions', async (t) => {
  const proxy = await echo(t);
  const caller = new Caller(t, proxy);
  caller.socket.end(text);
  t.is(await caller.closed, 'end');
  t.is(caller.heard, text);
  t.deepEqual(proxy.passed, { toServer: text.length, toClient: text.length });
});

test('more than all buffers hold passes whole', async (t) => {
  const caller = new Caller(t, await echo(t));
  const much = 'x'.repeat(8 * 1024 * 1024);
  caller.socket.end(much);
  t.is(await caller.closed, 'end');
  t.is(caller.heard.length, much.length);
});

for (const how of ['reset', 'end'] as const) {
  for (const direction of ['toServer', 'toClient'] as const) {
    test(`a cut ${direction} with a ${how} lets so many bytes pass, whatever the number`, async (t) => {
      const proxy = await echo(t);
      for (let after = 0; after <= text.length; after++) {
        proxy.set({ [direction]: { kind: 'cut', after, how } });
        const before = proxy.passed[direction];
        const caller = new Caller(t, proxy);
        caller.socket.write(text);
        // Node takes a reset that comes together with bytes for an end.
        t.regex(await caller.closed, /^(end|ECONNRESET|EPIPE)$/);
        t.is(proxy.passed[direction] - before, after);
        t.true(text.startsWith(caller.heard));
        t.true(caller.heard.length <= after);
      }
    });
  }
}

test('a connection that has passed more than a cut allows is cut at once', async (t) => {
  const proxy = await echo(t);
  const caller = new Caller(t, proxy);
  caller.socket.write(text);
  await caller.hears(text);
  proxy.set({ toClient: { kind: 'cut', after: 3, how: 'reset' } });
  t.is(await caller.closed, 'ECONNRESET');
});

test('while it is frozen nothing passes, no byte, no end and no reset; later all of it does', async (t) => {
  const proxy = await echo(t);
  const caller = new Caller(t, proxy);
  caller.socket.write(text);
  await caller.hears(text);
  proxy.set({ toServer: { kind: 'freeze' }, toClient: { kind: 'freeze' } });
  caller.socket.end('later');
  const other = new Caller(t, proxy);
  other.socket.write('x');
  await once(other.socket, 'connect');
  other.socket.resetAndDestroy();
  await other.closed;
  t.is(proxy.passed.toServer, text.length);
  t.is(caller.heard, text);
  proxy.set(passing);
  t.is(await caller.closed, 'end');
  t.is(caller.heard, `${text}later`);
});

test('one direction freezes alone', async (t) => {
  const proxy = await echo(t);
  proxy.set({ toClient: { kind: 'freeze' } });
  const caller = new Caller(t, proxy);
  caller.socket.end(text);
  await once(caller.socket, 'finish');
  t.is(caller.heard, '');
  proxy.set(passing);
  t.is(await caller.closed, 'end');
  t.is(caller.heard, text);
});

const slow: readonly Rule[] = [
  { kind: 'drip', everyMs: 0 },
  { kind: 'drip', everyMs: 1 },
  { kind: 'delay', ms: 5 },
];
for (const rule of slow) {
  test(`what is slow arrives whole: ${JSON.stringify(rule)}`, async (t) => {
    const proxy = await echo(t);
    proxy.set({ toServer: rule, toClient: rule });
    const caller = new Caller(t, proxy);
    caller.socket.end(text);
    t.is(await caller.closed, 'end');
    t.is(caller.heard, text);
  });
}

test('it refuses, and admits again on the same port', async (t) => {
  const proxy = await echo(t);
  const standing = new Caller(t, proxy);
  standing.socket.write(text);
  await standing.hears(text);
  await proxy.refuse();
  t.is(await standing.closed, 'ECONNRESET');
  t.is(await new Caller(t, proxy).closed, 'ECONNREFUSED');
  await proxy.admit();
  const caller = new Caller(t, proxy);
  caller.socket.end(text);
  t.is(await caller.closed, 'end');
  t.is(caller.heard, text);
  t.is(proxy.accepted, 2);
});

test('rules for one connection do not concern the next', async (t) => {
  const proxy = await echo(t);
  proxy.setOnce({ toServer: { kind: 'cut', after: 4, how: 'reset' } });
  const first = new Caller(t, proxy);
  first.socket.write(text);
  t.is(await first.closed, 'ECONNRESET');
  const second = new Caller(t, proxy);
  second.socket.end(text);
  t.is(await second.closed, 'end');
  t.is(second.heard, text);
});

test('rules for what stands do not concern what comes', async (t) => {
  const proxy = await echo(t);
  const standing = new Caller(t, proxy);
  standing.socket.write(text);
  await standing.hears(text);
  proxy.setStanding({ toServer: { kind: 'freeze' } });
  standing.socket.write('later');
  const caller = new Caller(t, proxy);
  caller.socket.end(text);
  t.is(await caller.closed, 'end');
  t.is(caller.heard, text);
  t.is(standing.heard, text);
});

test('where nobody listens behind it a connection is reset', async (t) => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const proxy = await FaultProxy.listen({ host, port });
  t.teardown(() => proxy.close());
  t.is(await new Caller(t, proxy).closed, 'ECONNRESET');
});
