import test from 'ava';
import { once } from 'node:events';
import * as http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import * as net from 'node:net';
import { FsError } from '../../../shared/errno.ts';
import { rpcPath } from '../../../shared/runtime/upgrade-names.ts';
import { makeLog } from '../../../shared/runtime/log.ts';
import { makeNet } from '../../../shared/runtime/node/net.ts';
import type { Channel, Endpoint, LogFields } from '../../../shared/runtime/runtime.ts';
import { entryBytes, listening, netOf, Recorder } from './recorder.ts';
import { answerTo, direct, portOf, stillServes } from './sockets.ts';

function upgrade(headers: Record<string, string>, path = rpcPath): string {
  const all = {
    host: 'x',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'weft.direct.1',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

test('a taken port is EADDRINUSE and names host and port', async (t) => {
  const listener = await listening(t, direct);
  const again = direct.listen({
    endpoint: listener.endpoint,
    accept: () => new Recorder(),
    connectionsMax: 1,
  });
  const error = await t.throwsAsync(again, { instanceOf: FsError });
  t.is(error.code, 'EADDRINUSE');
  t.is(error.weftCode, 'WEFT_E_PORT_TAKEN');
  t.true(error.message.includes(`127.0.0.1:${portOf(listener)}`));
});

test('an address of another host is EADDRNOTAVAIL', async (t) => {
  const endpoint: Endpoint = { kind: 'tcp', host: '192.0.2.1', port: 0 };
  const options = { endpoint, accept: () => new Recorder(), connectionsMax: 1 };
  const error = await t.throwsAsync(direct.listen(options), { instanceOf: FsError });
  t.is(error.code, 'EADDRNOTAVAIL');
});

const huge = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`;
/** What is cut as soon as it is seen, and what by its time limit only. */
const garbage: Record<string, string | Buffer> = {
  'random bytes': Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) & 0xff)),
  'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
  'huge headers': huge,
  'a header that never ends': 'GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n',
  'half a request': 'GE',
  nothing: '',
};
const unfinished = ['a header that never ends', 'half a request', 'nothing'];

for (const [what, bytes] of Object.entries(garbage)) {
  test(`${what} instead of a greeting: the connection is cut, the listener lives`, async (t) => {
    let accepted = 0;
    const listener = await listening(t, netOf('direct', unfinished.includes(what) ? 50 : 60_000), {
      accept() {
        accepted++;
        return new Recorder();
      },
    });
    const answer = await answerTo(portOf(listener), bytes);
    t.false(answer.includes('101'));
    t.is(accepted, 0);
    await stillServes(t, listener);
  });
}

test('what is refused is logged with host and reason', async (t) => {
  const lines: LogFields[] = [];
  const log = makeLog('info', {}, (_level, message, fields) => {
    if (message === 'connection refused') lines.push(fields);
  });
  const listener = await listening(t, makeNet({ log }));
  await answerTo(portOf(listener), 'rubbish');
  await answerTo(portOf(listener), upgrade({}, '/other'));
  const hasty = await listening(t, makeNet({ log, greetingTimeoutMs: 500 }));
  await answerTo(portOf(hasty), '');
  t.is(lines.length, 3);
  t.true(lines.every(({ host }) => host === '127.0.0.1'));
  t.regex(String(lines[0]?.['why']), /Parse Error/);
  t.deepEqual(
    lines.slice(1).map(({ why }) => why),
    ['upgrade: 404 Not Found', 'neither a channel nor an answered request in time'],
  );
});

const wrongUpgrades: Record<string, { request: string; status: number }> = {
  'another path': { request: upgrade({}, '/other'), status: 404 },
  'another protocol': { request: upgrade({ upgrade: 'h2c' }), status: 400 },
  'an old version': { request: upgrade({ 'sec-websocket-version': '8' }), status: 426 },
  'no proper key': { request: upgrade({ 'sec-websocket-key': 'short' }), status: 400 },
  'no protocol of ours': { request: upgrade({ 'sec-websocket-protocol': 'chat' }), status: 400 },
  'a page of another site': { request: upgrade({ origin: 'https://evil.example' }), status: 403 },
  'a page whose name leads to this host by now': {
    request: upgrade({ origin: 'http://evil.example:80', host: 'evil.example:80' }),
    status: 403,
  },
};

for (const [what, { request, status }] of Object.entries(wrongUpgrades)) {
  test(`an upgrade with ${what} is refused with ${status}`, async (t) => {
    const listener = await listening(t, direct);
    const answer = await answerTo(portOf(listener), request);
    t.true(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    await stillServes(t, listener);
  });
}

for (const host of ['127.0.0.1:7300', '[::1]:7300', 'localhost:7300', 'localhost']) {
  test(`a page of ${host} itself is let in`, async (t) => {
    const listener = await listening(t, direct);
    const socket = net.connect(portOf(listener), '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(upgrade({ host, origin: `http://${host}` }));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    t.true(answer.toString('latin1').startsWith('HTTP/1.1 101 '), answer.toString('latin1'));
  });
}

test('garbage after the upgrade closes that channel with a ProtocolError', async (t) => {
  const heard = new Recorder();
  const listener = await listening(t, direct, { accept: () => heard });
  await answerTo(portOf(listener), `${upgrade({})}this is no frame at all`);
  t.is((await heard.closedReason()).name, 'ProtocolError');
});

test('a frame that comes in one piece with the upgrade is not lost', async (t) => {
  const heard = new Recorder();
  const listener = await listening(t, direct, { accept: () => heard });
  const packet = entryBytes(Buffer.from('early'));
  const head = Buffer.from([0x82, 0x80 | packet.length, 0, 0, 0, 0]);
  const socket = net.connect(portOf(listener), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(Buffer.concat([Buffer.from(upgrade({})), head, packet]));
  await heard.until(() => heard.entries.length === 1);
  t.is(heard.entries[0]?.body, Buffer.from('early').toString('hex'));
});

test('a peer that only stops sending is closed, not kept half open (SCENARIOS 129)', async (t) => {
  const heard = new Recorder();
  const listener = await listening(t, direct, { accept: () => heard });
  const socket = net.connect({ port: portOf(listener), host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.write(upgrade({}));
  await once(socket, 'data');
  socket.end();
  const reason = await heard.closedReason();
  t.true(reason instanceof FsError && reason.code === 'ECONNRESET');
});

test('a peer killed in the middle of a frame is a closed connection', async (t) => {
  const heard = new Recorder();
  const listener = await listening(t, direct, { accept: () => heard });
  const socket = net.connect(portOf(listener), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(upgrade({}));
  await once(socket, 'data');
  socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0]));
  socket.resetAndDestroy();
  const reason = await heard.closedReason();
  t.true(reason instanceof FsError && reason.code === 'ECONNRESET');
});

test('connections above the bound are refused, and there is room again when one ends', async (t) => {
  const channels: Channel[] = [];
  const ends: Recorder[] = [];
  const listener = await listening(t, direct, {
    connectionsMax: 2,
    accept(channel) {
      channels.push(channel);
      const heard = new Recorder();
      ends.push(heard);
      return heard;
    },
  });
  const connect = async () =>
    direct.connect(listener.endpoint, { timeoutMs: 60_000 }, new Recorder());
  await connect();
  await connect();
  await t.throwsAsync(connect, { code: 'ECONNRESET' });
  channels[0]?.close(new Error('make room'));
  await ends[0]?.closedReason();
  await t.notThrowsAsync(connect);
});

test('plain HTTP is answered on the same port, GET only', async (t) => {
  const asked: string[] = [];
  const listener = await listening(t, direct, {
    http({ path }) {
      asked.push(path);
      if (path === '/broken') throw new Error('broken');
      return { status: 200, contentType: 'application/json', body: '{"ok":"ä"}' };
    },
  });
  const url = `http://127.0.0.1:${portOf(listener)}`;
  const health = await fetch(`${url}/health?x=1`);
  t.is(health.status, 200);
  t.is(health.headers.get('content-type'), 'application/json');
  t.is(await health.text(), '{"ok":"ä"}');
  t.is((await fetch(`${url}/broken`)).status, 500);
  t.is((await fetch(`${url}/health`, { method: 'POST', body: 'x' })).status, 405);
  t.deepEqual(asked, ['/health?x=1', '/broken']);
  const bare = await listening(t, direct);
  t.is((await fetch(`http://127.0.0.1:${portOf(bare)}/`)).status, 404);
});

test('a page is compressed for whoever takes that, and when it is worth it', async (t) => {
  const long = 'figures, ä\n'.repeat(1000);
  const listener = await listening(t, direct, {
    http: ({ path }) => ({
      status: 200,
      contentType: 'text/plain',
      body: path === '/' ? long : 'x',
    }),
  });
  const get = async (path: string, wishes: string) => {
    const headers = { 'accept-encoding': wishes };
    const request = http.get({ host: '127.0.0.1', port: portOf(listener), path, headers });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const { 'content-encoding': coding, 'content-length': length } = response.headers;
    const content = await buffer(response);
    t.is(Number(length), content.length);
    return { coding, content };
  };
  for (const wishes of ['gzip', 'gzip, deflate, br', 'br, gzip']) {
    const { coding, content } = await get('/', wishes);
    t.is(coding, 'gzip', wishes);
    t.is(gunzipSync(content).toString(), long);
  }
  for (const wishes of ['', 'identity', 'gzip;q=0', 'xgzip']) {
    const { coding, content } = await get('/', wishes);
    t.is(coding, undefined, wishes);
    t.is(content.toString(), long);
  }
  t.is((await get('/short', 'gzip')).coding, undefined);
});

test('plain HTTP on loopback is for the names of this host: no name that was made to lead here', async (t) => {
  const listener = await listening(t, direct, {
    http: () => ({ status: 200, contentType: 'text/plain', body: 'figures' }),
  });
  const port = portOf(listener);
  const statusFor = async (host: string): Promise<number | undefined> => {
    const request = http.get({ host: '127.0.0.1', port, path: '/metrics', headers: { host } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  for (const host of ['localhost', `localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    t.is(await statusFor(host), 200, host);
  }
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example']) {
    t.is(await statusFor(host), 403, host);
  }
});

test('an HTTP answer that never comes does not keep its connection', async (t) => {
  const listener = await listening(t, netOf('direct', 50), {
    http: async () => new Promise(() => undefined),
  });
  const request = http.get(`http://127.0.0.1:${portOf(listener)}/`);
  await t.throwsAsync(once(request, 'response'), { code: 'ECONNRESET' });
  await stillServes(t, listener);
});

test('strangers beyond the bound wait unread, and who came last is next: who came first may have given up (SCENARIOS 97)', async (t) => {
  const known = new Map<string, () => void>();
  const order: string[] = [];
  const listener = await listening(t, netOf('direct'), {
    strangersMax: 1,
    accept(channel, isKnown) {
      order.push(channel.peer);
      known.set(channel.peer, isKnown);
      return new Recorder();
    },
  });
  const come = async () => {
    const socket = net.connect(portOf(listener), '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(upgrade({}));
    return { socket, peer: `127.0.0.1:${socket.localPort}` };
  };
  const first = await come();
  await once(first.socket, 'data');
  const second = await come();
  const third = await come();
  t.deepEqual(order, [first.peer]);
  known.get(first.peer)?.();
  await once(third.socket, 'data');
  t.deepEqual(order, [first.peer, third.peer]);
  third.socket.destroy();
  await once(second.socket, 'data');
  t.deepEqual(order, [first.peer, third.peer, second.peer]);
  t.false(first.socket.destroyed);
});

test('who waits for his turn is let go in the time of a greeting, and who has it has that time anew', async (t) => {
  let refused = 0;
  const listener = await listening(
    t,
    makeNet({ log: makeLog('error', {}, () => undefined), greetingTimeoutMs: 1000 }),
    {
      strangersMax: 1,
      refused: () => refused++,
    },
  );
  const stays = net.connect(portOf(listener), '127.0.0.1');
  t.teardown(() => stays.destroy());
  stays.write(upgrade({}));
  await once(stays, 'data');
  t.is(await answerTo(portOf(listener), upgrade({})), '');
  t.is(refused, 1);
  stays.destroy();
  await stillServes(t, listener);
});
