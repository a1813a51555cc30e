import test, { type ExecutionContext } from 'ava';
import { once } from 'node:events';
import * as net from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { FsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Frames } from '../../../shared/runtime/node/listen.ts';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import {
  entryBytes,
  hex,
  listening,
  netOf,
  pair,
  Recorder,
  temporaryDirectory,
} from './recorder.ts';

const KiB = 1024;
const kinds: readonly Frames[] = ['direct', 'portable', 'stock'];

/** Bytes that tell where they belong. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed + (i >> 8)) & 0xff;
  return bytes;
}

/** Packets of every size at which something changes: length forms, read buffers, staging. */
const sizes = [
  0,
  1,
  117,
  118,
  125,
  126,
  4087,
  4088,
  4096,
  16_383,
  16_384,
  65_527,
  65_528,
  65_535,
  65_536,
  256 * KiB - 8,
  256 * KiB,
  limits.payloadBytesMax,
];

for (const near of kinds) {
  for (const far of kinds) {
    test(`${near} and ${far} understand each other, both ways`, async (t) => {
      const { near: client, nearHears, far: server, farHears } = await pair(t, { near, far });
      for (const [i, size] of sizes.entries()) {
        const body = pattern(i, i);
        const payload = pattern(size, i);
        for (const channel of [client, server]) {
          const head = entryBytes(body, payload).subarray(0, 8);
          channel.send([head, body, payload.subarray(0, size >> 1), payload.subarray(size >> 1)]);
          channel.send([entryBytes(Buffer.from('second')), entryBytes(body)]);
        }
      }
      for (const recorder of [nearHears, farHears]) {
        await recorder.until(() => recorder.entries.length === 3 * sizes.length);
        sizes.forEach((size, i) => {
          const body = hex(pattern(i, i));
          t.deepEqual(recorder.entries.slice(i * 3, i * 3 + 3), [
            { body, payload: hex(pattern(size, i)) },
            { body: hex(Buffer.from('second')), payload: '' },
            { body, payload: '' },
          ]);
        });
      }
      client.close(new Error('seen all'));
      const [here, there] = [await nearHears.closedReason(), await farHears.closedReason()];
      t.is(here.message, 'seen all');
      t.true(there instanceof FsError && there.code === 'ECONNRESET');
      t.regex(there.message, /1001 seen all/);
    });

    test(`payload from ${near} to ${far} lands in the buffers its receiver named`, async (t) => {
      const { near: client, farHears } = await pair(t, { near, far });
      const region = Buffer.alloc(300 * KiB);
      const sinks = [
        region.subarray(10, 11),
        region.subarray(0, 0),
        region.subarray(50_000, 250_000),
      ];
      farHears.sink = () => sinks;
      const payload = pattern(200_001, 5);
      client.send([entryBytes(Buffer.from('b'), payload)]);
      await farHears.until(() => farHears.entries.length === 1);
      t.deepEqual(farHears.sinkCalls, [{ body: '62', payloadBytes: 200_001 }]);
      t.is(region[10], payload[0]);
      t.true(region.subarray(50_000, 250_000).equals(payload.subarray(1)));
      t.is(region[49_999], 0);
      t.is(region[250_000], 0);
    });
  }
}

function afterUpgrade(pieces: Buffer[]): string {
  const all = Buffer.concat(pieces);
  return hex(all.subarray(all.indexOf('\r\n\r\n') + 4));
}

/** Stands between two peers and keeps what each of them sent after the upgrade. */
async function tapped(t: ExecutionContext, port: number) {
  const sent = { client: [] as Buffer[], server: [] as Buffer[] };
  const tap = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    near.on('data', (piece: Buffer) => sent.client.push(piece));
    far.on('data', (piece: Buffer) => sent.server.push(piece));
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  t.teardown(() => tap.close());
  tap.listen(0, '127.0.0.1');
  await once(tap, 'listening');
  return {
    port: (tap.address() as net.AddressInfo).port,
    sent: () => ({ client: afterUpgrade(sent.client), server: afterUpgrade(sent.server) }),
  };
}

test('the bytes that travel are the same, whoever reads and writes the frames', async (t) => {
  const seen = [];
  for (const frames of kinds) {
    const farHears = new Recorder();
    const nearHears = new Recorder();
    let far: Channel | undefined;
    const listener = await listening(t, netOf(frames), {
      accept(channel) {
        far = channel;
        return farHears;
      },
    });
    const tap = await tapped(t, listener.endpoint.kind === 'tcp' ? listener.endpoint.port : 0);
    const near = await netOf(frames).connect(
      { kind: 'tcp', host: '127.0.0.1', port: tap.port },
      { timeoutMs: 60_000 },
      nearHears,
    );
    for (const size of sizes) {
      near.send([entryBytes(Buffer.from('up')), entryBytes(pattern(3, 1), pattern(size, 2))]);
      far?.send([entryBytes(Buffer.from('down')), entryBytes(pattern(3, 1), pattern(size, 3))]);
    }
    for (const heard of [nearHears, farHears]) {
      await heard.until(() => heard.entries.length === 2 * sizes.length);
    }
    near.close(new ProtocolError('over'));
    await farHears.closedReason();
    seen.push(tap.sent());
  }
  t.true((seen[0]?.client.length ?? 0) > 2 * 1024 * KiB);
  for (const other of seen.slice(1)) {
    t.true(other.client === seen[0]?.client, 'from client to server');
    t.true(other.server === seen[0]?.server, 'from server to client');
  }
});

for (const frames of kinds) {
  test(`${frames}: every send is settled once, whether it was sent or not`, async (t) => {
    const { near, nearHears, farHears } = await pair(t, { near: frames, far: frames });
    const taken: number[] = [];
    for (let i = 0; i < 50; i++) {
      const entry = entryBytes(Buffer.from('x'), Buffer.alloc(100 * KiB));
      near.send([entry], () => taken.push(i));
    }
    t.deepEqual(taken, [], 'none is settled within the call');
    await farHears.until(() => farHears.entries.length === 10);
    for (let i = 50; i < 90; i++) {
      const entry = entryBytes(Buffer.from('x'), Buffer.alloc(500 * KiB));
      near.send([entry], () => taken.push(i));
    }
    const drainedBefore = nearHears.drainedCalls;
    near.close(new Error('enough'));
    near.send([entryBytes(Buffer.from('late'))], () => taken.push(90));
    await nearHears.closedReason();
    await new Promise((resolve) => setImmediate(resolve));
    t.deepEqual(
      taken.toSorted((a, b) => a - b),
      Array.from({ length: 91 }, (_, i) => i),
    );
    t.is(near.bufferedBytes, 0);
    t.is(nearHears.callsAfterClosed, 0);
    t.is(nearHears.drainedCalls, drainedBefore, 'a channel that ends does not ask for more');
  });

  test(`${frames}: closing is told once at each end, however often it is done`, async (t) => {
    const { near, nearHears, far, farHears } = await pair(t, { near: frames, far: frames });
    near.close(new Error('first'));
    near.close(new Error('second'));
    t.is(nearHears.closedWith.length, 0, 'told later, not within the call');
    t.is((await nearHears.closedReason()).message, 'first');
    await farHears.closedReason();
    far.close(new Error('third'));
    near.close(new Error('fourth'));
    far.send([entryBytes(Buffer.from('x'))]);
    await new Promise((resolve) => setImmediate(resolve));
    t.is(nearHears.closedWith.length, 1);
    t.is(farHears.closedWith.length, 1);
    t.is(farHears.callsAfterClosed, 0);
  });

  test(`${frames}: a handler that throws closes the channel with what it threw`, async (t) => {
    for (const place of ['entry', 'sink'] as const) {
      const { near, farHears } = await pair(t, { near: frames, far: frames });
      const wrong = new ProtocolError('I cannot bear it');
      const fail = (): never => {
        throw wrong;
      };
      if (place === 'entry') farHears.onEntry = fail;
      else farHears.sink = fail;
      const entry = entryBytes(Buffer.from('x'), Buffer.from('y'));
      near.send([entry, entry, entry]);
      t.is(await farHears.closedReason(), wrong);
      t.is(farHears.entries.length, place === 'entry' ? 1 : 0);
    }
  });

  test(`${frames}: nothing arrives after close, not even the rest of a packet`, async (t) => {
    const { near, far, farHears } = await pair(t, { near: frames, far: frames });
    farHears.onEntry = () => far.close(new Error('one is enough'));
    const entry = entryBytes(Buffer.from('x'));
    near.send([entry, entry]);
    near.send([entry]);
    t.is((await farHears.closedReason()).message, 'one is enough');
    t.is(farHears.entries.length, 1);
  });

  test(`${frames}: a breach of the bounds closes with a ProtocolError`, async (t) => {
    const { near, nearHears, farHears } = await pair(t, { near: frames, far: frames });
    const head = Buffer.alloc(8);
    head.writeUInt32LE(limits.bodyBytesMax + 1, 0);
    near.send([head]);
    t.true((await farHears.closedReason()) instanceof ProtocolError);
    const told = await nearHears.closedReason();
    t.regex(told.message, /1002 body of \d+ bytes, at most \d+ are allowed/);
  });

  test(`${frames}: a peer that does not read is cut, and its sender is told`, async (t) => {
    const farHears = new Recorder();
    const listener = await listening(t, netOf(frames), { accept: () => farHears });
    const port = listener.endpoint.kind === 'tcp' ? listener.endpoint.port : 0;
    const silent = net.createServer({ pauseOnConnect: true });
    t.teardown(() => silent.close());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    silent.on('connection', (near) => {
      t.teardown(() => near.destroy());
      const far = net.connect(port, '127.0.0.1');
      t.teardown(() => far.destroy());
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      far.pipe(near);
      // The upgrade goes through; nothing that comes after it does.
      near.once('data', (request: Buffer) => {
        far.write(request);
        near.pause();
      });
      near.resume();
    });
    const nearHears = new Recorder();
    const near = await netOf(frames).connect(
      { kind: 'tcp', host: '127.0.0.1', port: (silent.address() as net.AddressInfo).port },
      { timeoutMs: 60_000 },
      nearHears,
    );
    const entry = entryBytes(Buffer.alloc(1), Buffer.alloc(limits.payloadBytesMax));
    let sent = 0;
    let settled = 0;
    while (nearHears.closedWith.length === 0 && sent < 200) {
      t.true(near.bufferedBytes <= limits.channelBufferedBytesMax + entry.length);
      near.send([entry], () => settled++);
      sent++;
      if (near.bufferedBytes > limits.channelBufferedBytesMax) break;
    }
    const reason = await nearHears.closedReason();
    t.true(reason instanceof FsError && reason.code === 'ECONNRESET');
    t.regex(reason.message, /does not read/);
    t.is(settled, sent);
    t.is(near.bufferedBytes, 0);
  });

  test(`${frames}: drained is told when the backlog falls below the low-water mark`, async (t) => {
    const { near, nearHears, farHears } = await pair(t, { near: frames, far: frames });
    const entry = entryBytes(Buffer.alloc(1), Buffer.alloc(limits.payloadBytesMax));
    near.send([entryBytes(Buffer.from('small'))]);
    await farHears.until(() => farHears.entries.length === 1);
    t.is(nearHears.drainedCalls, 0, 'it never was above');
    for (let i = 0; i < 30; i++) near.send([entry]);
    t.true(near.bufferedBytes >= limits.channelLowWaterBytes);
    await nearHears.until(() => nearHears.drainedCalls > 0);
    t.true(near.bufferedBytes < limits.channelLowWaterBytes);
    await farHears.until(() => farHears.entries.length === 31);
    t.is(nearHears.drainedCalls, 1);
    t.is(near.bufferedBytes, 0);
  });

  test(`${frames}: a packet above the bound is never sent: that is our mistake`, async (t) => {
    const { near } = await pair(t, { near: frames, far: frames });
    const segment = Buffer.alloc(limits.packetBytesMax);
    t.throws(() => near.send([segment, Buffer.alloc(1)]), { name: 'AssertionError' });
  });

  test(`${frames}: whoever awaits the channel has it before the first entry`, async (t) => {
    const listener = await listening(t, netOf(frames), {
      accept(channel) {
        channel.send([entryBytes(Buffer.from('welcome'))]);
        return new Recorder();
      },
    });
    const heard = new Recorder();
    let channel: Channel | undefined;
    let known = false;
    heard.onEntry = () => (known = channel !== undefined);
    channel = await netOf(frames).connect(listener.endpoint, { timeoutMs: 60_000 }, heard);
    await heard.until(() => heard.entries.length === 1);
    t.true(known);
    channel.close(new Error('done'));
  });

  test(`${frames}: accept may refuse by throwing; the peer is told why`, async (t) => {
    const listener = await listening(t, netOf(frames), {
      accept() {
        throw new Error('not today');
      },
    });
    const heard = new Recorder();
    await netOf(frames).connect(listener.endpoint, { timeoutMs: 60_000 }, heard);
    t.regex((await heard.closedReason()).message, /not today/);
  });

  test(`${frames}: a listener that closes takes its channels along`, async (t) => {
    const { nearHears, farHears, listener } = await pair(t, { near: frames, far: frames });
    await listener.close();
    await farHears.closedReason();
    t.regex((await nearHears.closedReason()).message, /listener .* was closed/);
    await t.throwsAsync(
      netOf(frames).connect(listener.endpoint, { timeoutMs: 60_000 }, new Recorder()),
      { code: 'ECONNREFUSED' },
    );
  });

  test(`${frames}: peers name each other, on TCP and on a unix socket`, async (t) => {
    const tcp = await pair(t, { near: frames, far: frames });
    t.is(tcp.near.peerHost, '127.0.0.1');
    t.is(tcp.far.peerHost, '127.0.0.1');
    t.regex(tcp.near.peer, /^127\.0\.0\.1:\d+$/);
    t.regex(tcp.far.peer, /^127\.0\.0\.1:\d+$/);
    const path = join(await temporaryDirectory(t), 's');
    const unix = await pair(t, { near: frames, far: frames }, { kind: 'unix', path });
    t.is(unix.near.peerHost, 'local');
    t.is(unix.far.peerHost, 'local');
    unix.near.send([entryBytes(Buffer.from('x'), pattern(300_000, 1))]);
    await unix.farHears.until(() => unix.farHears.entries.length === 1);
    t.is(unix.farHears.entries[0]?.payload, hex(pattern(300_000, 1)));
  });
}

for (const frames of ['direct', 'portable'] as const) {
  test(`${frames}: a stock client with any mask, fragments and pings is understood`, async (t) => {
    const farHears = new Recorder();
    const listener = await listening(t, netOf(frames), { accept: () => farHears });
    const port = listener.endpoint.kind === 'tcp' ? listener.endpoint.port : 0;
    const client = new WebSocket(`ws://127.0.0.1:${port}/rpc`, ['weft.direct.1', 'weft.1']);
    t.teardown(() => client.terminate());
    await once(client, 'open');
    t.is(client.protocol, 'weft.direct.1');
    const payload = pattern(300_000, 9);
    const packet = entryBytes(Buffer.from('masked'), payload);
    client.send(packet);
    client.send(packet.subarray(0, 5), { fin: false });
    client.ping('are you there');
    client.send(packet.subarray(5, 100_000), { fin: false });
    client.send(packet.subarray(100_000), { fin: true });
    const [pong] = (await once(client, 'pong')) as [Buffer];
    t.is(pong.toString(), 'are you there');
    await farHears.until(() => farHears.entries.length === 2);
    for (const { payload: got } of farHears.entries) t.is(got, hex(payload));
    client.close(1000, 'bye');
    t.regex((await farHears.closedReason()).message, /1000 bye/);
  });
}

test('our client understands a stock server, its fragments and its pings', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/rpc' });
  t.teardown(() => server.close());
  await once(server, 'listening');
  const payload = pattern(300_000, 3);
  const packet = entryBytes(Buffer.from('b'), payload);
  const got: Buffer[] = [];
  const done = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => got.push(data));
      socket.on('pong', () => {
        socket.send(packet.subarray(0, 7), { fin: false });
        socket.send(packet.subarray(7), { fin: true });
        socket.close(4000, 'that was all');
      });
      socket.on('close', () => resolve());
      socket.ping('hello');
    });
  });
  const heard = new Recorder();
  const { port } = server.address() as net.AddressInfo;
  const channel = await netOf('direct').connect(
    { kind: 'tcp', host: '127.0.0.1', port },
    { timeoutMs: 60_000 },
    heard,
  );
  channel.send([packet]);
  t.regex((await heard.closedReason()).message, /4000 that was all/);
  t.deepEqual(
    heard.entries.map((entry) => entry.payload),
    [hex(payload)],
  );
  await done;
  t.true(got[0]?.equals(packet));
});
