import test from 'ava';
import { once } from 'node:events';
import * as net from 'node:net';
import { join } from 'node:path';
import { FsError } from '../../../shared/errno.ts';
import { acceptHash, upgradeAnswer } from '../../../shared/runtime/node/handshake.ts';
import type { Endpoint } from '../../../shared/runtime/runtime.ts';
import { entryBytes, listening, netOf, Recorder, temporaryDirectory } from './recorder.ts';
import { at, direct, plainServer, portOf, refused } from './sockets.ts';

for (const frames of ['direct', 'stock'] as const) {
  test(`${frames}: a port nobody listens on refuses with ECONNREFUSED that names it`, async (t) => {
    const listener = await direct.listen({
      endpoint: at(0),
      accept: () => new Recorder(),
      connectionsMax: 1,
    });
    await listener.close();
    const error = await refused(t, listener.endpoint, frames);
    t.is(error.code, 'ECONNREFUSED');
    t.true(error.message.includes(`127.0.0.1:${portOf(listener)}`));
  });

  test(`${frames}: what answers but is no weftfs daemon is EPROTO with its own code`, async (t) => {
    const answers: Record<string, string> = {
      'an SSH banner': 'SSH-2.0-OpenSSH_9.6\r\n',
      'a plain HTTP server': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      'a wrong hash':
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: nonsense\r\nSec-WebSocket-Protocol: weft.1\r\n\r\n',
    };
    for (const [what, answer] of Object.entries(answers)) {
      const endpoint = await plainServer(t, (socket) => {
        socket.once('data', () => socket.end(answer));
      });
      const error = await refused(t, endpoint, frames);
      t.is(error.code, 'EPROTO', what);
      t.is(error.weftCode, 'WEFT_E_NOT_WEFT', what);
    }
  });

  test(`${frames}: a server that never answers is ETIMEDOUT, and is let go`, async (t) => {
    let gone: Promise<unknown> | undefined;
    const endpoint = await plainServer(t, (socket) => {
      socket.resume();
      gone = once(socket, 'close');
    });
    const error = await refused(t, endpoint, frames, 50);
    t.is(error.code, 'ETIMEDOUT');
    await gone;
  });

  test(`${frames}: a server that closes without a word is ECONNRESET`, async (t) => {
    const endpoint = await plainServer(t, (socket) => {
      socket.once('data', () => socket.destroy());
    });
    t.is((await refused(t, endpoint, frames)).code, 'ECONNRESET');
  });

  test(`${frames}: a server that closes in the middle of its greeting is ECONNRESET, for it may say more the next time`, async (t) => {
    const greeting = upgradeAnswer('dGhlIHNhbXBsZSBub25jZQ==', false);
    for (const length of [1, 12, 40, greeting.length - 1]) {
      const endpoint = await plainServer(t, (socket) => {
        socket.once('data', () => socket.end(greeting.slice(0, length)));
      });
      const error = await refused(t, endpoint, frames);
      t.is(error.code, 'ECONNRESET', `after ${length} bytes`);
      t.is(error.weftCode, undefined);
    }
  });

  test(`${frames}: a unix socket that is not there refuses`, async (t) => {
    const path = join(await temporaryDirectory(t), 'none');
    const error = await refused(t, { kind: 'unix', path }, frames);
    t.is(error.code, 'ECONNREFUSED');
    t.true(error.message.includes(path));
  });

  test(`${frames}: a host by name is reached`, async (t) => {
    const listener = await listening(t, direct);
    const endpoint: Endpoint = { kind: 'tcp', host: 'localhost', port: portOf(listener) };
    const channel = await netOf(frames).connect(endpoint, { timeoutMs: 60_000 }, new Recorder());
    t.is(channel.peer, `localhost:${portOf(listener)}`);
    t.is(channel.peerHost, '127.0.0.1');
    channel.close(new Error('done'));
  });
}

test('no more than the greeting is read from something that talks for ever', async (t) => {
  const endpoint = await plainServer(t, (socket) => {
    socket.write(`HTTP/1.1 101 Fine\r\n${'X-Filler: yes\r\n'.repeat(2000)}`);
  });
  t.is((await refused(t, endpoint)).weftCode, 'WEFT_E_NOT_WEFT');
});

test('an acceptor that picks no protocol of ours, or an extension, is refused', async (t) => {
  for (const header of ['X: y', 'Sec-WebSocket-Protocol: chat']) {
    const endpoint = await plainServer(t, (socket) => {
      socket.once('data', (request: Buffer) => {
        const key = /Sec-WebSocket-Key: (\S+)/.exec(request.toString('latin1'))?.[1] ?? '';
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
            `Sec-WebSocket-Accept: ${acceptHash(key)}\r\n${header}\r\n\r\n`,
        );
      });
    });
    t.is((await refused(t, endpoint)).weftCode, 'WEFT_E_NOT_WEFT', header);
  }
});

test('a greeting that comes byte by byte is understood', async (t) => {
  const listener = await listening(t, direct, {
    accept(channel) {
      channel.send([entryBytes(Buffer.from('hello'))]);
      return new Recorder();
    },
  });
  const endpoint = await plainServer(t, (near) => {
    const far = net.connect(portOf(listener), '127.0.0.1');
    far.on('error', () => near.destroy());
    near.pipe(far);
    near.setNoDelay(true);
    far.on('data', (piece: Buffer) => {
      for (const byte of piece) near.write(Buffer.of(byte));
    });
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  const heard = new Recorder();
  const channel = await direct.connect(endpoint, { timeoutMs: 60_000 }, heard);
  await heard.until(() => heard.entries.length === 1);
  t.is(heard.entries[0]?.body, Buffer.from('hello').toString('hex'));
  channel.close(new Error('done'));
});

test('names resolve to addresses; one that does not is ENOTFOUND or EAGAIN', async (t) => {
  t.true((await direct.resolve('localhost')).some((a) => a === '127.0.0.1' || a === '::1'));
  t.deepEqual(await direct.resolve('127.0.0.7'), ['127.0.0.7']);
  const error = await t.throwsAsync(direct.resolve('no-such-host.invalid'), {
    instanceOf: FsError,
  });
  t.true(error.code === 'ENOTFOUND' || error.code === 'EAGAIN');
  t.true(error.message.includes('no-such-host.invalid'));
});

test('the host id is the same for each runtime on the host', (t) => {
  t.regex(direct.hostId, /^[0-9a-f]{32}$/);
  t.is(direct.hostId, netOf('stock').hostId);
});
