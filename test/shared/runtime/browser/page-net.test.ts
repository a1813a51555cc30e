/** The network of a page, over a WebSocket that is one of `ws` instead of the browser's. */
import test, { type ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';
import { FsError, ProtocolError } from '../../../../shared/errno.ts';
import { limits } from '../../../../shared/limits.ts';
import { makePageNet } from '../../../../shared/runtime/browser/page-net.ts';
import { pageRandom } from '../../../../shared/runtime/browser/page-random.ts';
import type { MakeSocket, PageSocket } from '../../../../shared/runtime/browser/page-socket.ts';
import { makeClock } from '../../../../shared/runtime/clock.ts';
import type { Channel } from '../../../../shared/runtime/runtime.ts';
import { entryBytes, hex, listening, Recorder } from '../recorder.ts';
import { at, direct, plainServer } from '../sockets.ts';

const MiB = 1024 ** 2;
const clock = makeClock();

function netOver(makeSocket: MakeSocket) {
  return makePageNet({ clock, random: pageRandom, makeSocket });
}

const net = netOver(WebSocket);

async function pageAndDaemon(t: ExecutionContext) {
  const [pageHears, daemonHears] = [new Recorder(), new Recorder()];
  let accepted: Channel | undefined;
  const { endpoint } = await listening(t, direct, {
    accept(channel) {
      accepted = channel;
      return daemonHears;
    },
  });
  const page = await net.connect(endpoint, { timeoutMs: 60_000 }, pageHears);
  t.teardown(() => page.close(new Error('end of test')));
  if (accepted === undefined) throw new Error('connected, but nothing was accepted');
  return { page, pageHears, daemon: accepted, daemonHears };
}

/** One that a test moves by hand. */
function handMade() {
  const listeners = new Map<string, (event: never) => void>();
  const sent: Uint8Array[] = [];
  let bufferedAmount = 0;
  const socket: PageSocket = {
    binaryType: '',
    get bufferedAmount() {
      return bufferedAmount;
    },
    send(data) {
      sent.push(data.slice());
      bufferedAmount += data.length;
    },
    close: () => undefined,
    addEventListener(type: string, listener: (event: never) => void) {
      listeners.set(type, listener);
    },
  };
  const tell = (type: string, event: object = {}): void => listeners.get(type)?.(event as never);
  const Socket = function () {
    queueMicrotask(() => tell('open'));
    return socket;
  } as unknown as MakeSocket;
  const take = (): void => {
    bufferedAmount = 0;
  };
  return { sent, tell, take, net: netOver(Socket) };
}

test('packets of every size go both ways', async (t) => {
  const { page, pageHears, daemon, daemonHears } = await pageAndDaemon(t);
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 256 * 1024, limits.payloadBytesMax];
  for (const [i, size] of sizes.entries()) {
    const body = Buffer.alloc(i, i);
    const payload = Buffer.alloc(size, i + 1);
    const packet = entryBytes(body, payload);
    for (const channel of [page, daemon]) {
      channel.send([packet.subarray(0, 9), packet.subarray(9)]);
      channel.send([packet]);
    }
  }
  for (const heard of [pageHears, daemonHears]) {
    await heard.until(() => heard.entries.length === 2 * sizes.length);
    for (const [i, size] of sizes.entries()) {
      const expected = { body: hex(Buffer.alloc(i, i)), payload: hex(Buffer.alloc(size, i + 1)) };
      t.deepEqual(heard.entries.slice(2 * i, 2 * i + 2), [expected, expected]);
    }
  }
});

test('segments are let go of once each, and may change then', async (t) => {
  const { net, sent } = handMade();
  const channel = await net.connect(at(1), { timeoutMs: 60_000 }, new Recorder());
  const packet = entryBytes(Buffer.from('body'));
  let taken = 0;
  await new Promise<void>((resolve) => {
    channel.send([packet.subarray(0, 8), packet.subarray(8)], () => {
      taken++;
      packet.fill(0);
      resolve();
    });
    t.is(taken, 0, 'not before send has returned');
  });
  t.is(hex(sent[0] ?? packet), hex(entryBytes(Buffer.from('body'))));
  channel.close(new Error('over'));
  await new Promise<void>((resolve) => channel.send([packet], resolve));
  t.is(taken, 1);
  t.is(sent.length, 1, 'nothing is sent after the end');
});

test('what waits is counted, and it is told when little is left', async (t) => {
  const { net, take } = handMade();
  const heard = new Recorder();
  const channel = await net.connect(at(1), { timeoutMs: 60_000 }, heard);
  const packet = entryBytes(Buffer.alloc(0), Buffer.alloc(MiB));
  for (let i = 0; i < 4; i++) channel.send([packet]);
  t.is(channel.bufferedBytes, 4 * packet.length);
  t.is(heard.drainedCalls, 0);
  take();
  await heard.until(() => heard.drainedCalls > 0);
  t.is(heard.drainedCalls, 1);
});

test('a daemon that does not read is let go of before it fills the memory (SCENARIOS 132)', async (t) => {
  const { net } = handMade();
  const heard = new Recorder();
  const channel = await net.connect(at(1), { timeoutMs: 60_000 }, heard);
  const packet = entryBytes(Buffer.alloc(0), Buffer.alloc(MiB));
  for (let i = 0; i < 70; i++) channel.send([packet]);
  const reason = await heard.closedReason();
  t.regex(reason.message, /does not read/);
  t.true(channel.bufferedBytes < 66 * MiB);
});

test('the end is told once and last, with who ended it and why', async (t) => {
  const { page, pageHears, daemon, daemonHears } = await pageAndDaemon(t);
  daemon.close(new Error('enough'));
  daemon.send([entryBytes(Buffer.from('late'))]);
  const reason = await pageHears.closedReason();
  t.true(reason instanceof FsError && reason.code === 'ECONNRESET');
  t.regex(reason.message, /1001 enough/);
  page.close(new Error('again'));
  await daemonHears.closedReason();
  const other = await pageAndDaemon(t);
  other.page.close(new Error('seen all'));
  t.is((await other.pageHears.closedReason()).message, 'seen all');
  t.regex((await other.daemonHears.closedReason()).message, /seen all/);
  for (const heard of [pageHears, other.pageHears]) {
    t.is(heard.closedWith.length, 1);
    t.is(heard.callsAfterClosed, 0);
  }
});

const breaches = {
  'a text message': { data: 'text' },
  'a packet that ends inside an entry': { data: new ArrayBuffer(7) },
  'a body beyond its bound': { data: Uint8Array.of(0, 0, 0, 0xff, 0, 0, 0, 0).buffer },
} as const;

for (const [what, event] of Object.entries(breaches)) {
  test(`${what} closes the channel with a ProtocolError`, async (t) => {
    const { net, tell } = handMade();
    const heard = new Recorder();
    await net.connect(at(1), { timeoutMs: 60_000 }, heard);
    tell('message', event);
    t.true((await heard.closedReason()) instanceof ProtocolError);
    tell('message', { data: entryBytes(Buffer.from('late')).buffer });
    t.is(heard.callsAfterClosed, 0);
  });
}

async function failure(t: ExecutionContext, connecting: Promise<Channel>): Promise<FsError> {
  return t.throwsAsync(connecting, { instanceOf: FsError });
}

test('a port nobody listens on is ECONNREFUSED that names it, and says what else it may be', async (t) => {
  const listener = await direct.listen({
    endpoint: at(0),
    accept: () => new Recorder(),
    connectionsMax: 1,
  });
  await listener.close();
  const heard = new Recorder();
  const error = await failure(t, net.connect(listener.endpoint, { timeoutMs: 60_000 }, heard));
  t.is(error.code, 'ECONNREFUSED');
  t.regex(error.message, /127\.0\.0\.1:\d+.*--allow-origin/);
  t.is(heard.closedWith.length, 0, 'a channel that never was is not closed');
});

test('a daemon that never answers is ETIMEDOUT', async (t) => {
  const endpoint = await plainServer(t, (socket) => socket.resume());
  const error = await failure(t, net.connect(endpoint, { timeoutMs: 50 }, new Recorder()));
  t.is(error.code, 'ETIMEDOUT');
});

test('what the browser forbids is EPROTO with its words', async (t) => {
  const forbidden = function () {
    throw new Error('an insecure WebSocket connection may not be initiated');
  } as unknown as MakeSocket;
  const connecting = netOver(forbidden).connect(at(1), { timeoutMs: 60_000 }, new Recorder());
  const error = await failure(t, connecting);
  t.is(error.code, 'EPROTO');
  t.regex(error.message, /insecure WebSocket/);
});

test('a page neither listens nor reaches a unix socket, and is on no host of the daemons', async (t) => {
  const unix = { kind: 'unix', path: '/run/weft.sock' } as const;
  const options = { accept: () => new Recorder(), connectionsMax: 1 };
  await t.throwsAsync(net.connect(unix, { timeoutMs: 1 }, new Recorder()), { code: 'ENOSYS' });
  await t.throwsAsync(net.listen({ endpoint: at(0), ...options }), { code: 'ENOSYS' });
  t.not(net.hostId, netOver(WebSocket).hostId);
});

test('a server of another protocol is not taken for a daemon', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = at((server.address() as AddressInfo).port);
  const error = await failure(t, net.connect(endpoint, { timeoutMs: 60_000 }, new Recorder()));
  t.is(error.code, 'ECONNREFUSED');
});
