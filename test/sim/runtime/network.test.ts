import test from 'ava';
import { FsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Channel, ChannelHandlers, ListenOptions } from '../../../shared/runtime/runtime.ts';
import type { SimProcess } from './process.ts';
import { at, connect, Ear, entryOf, listen } from './talk.ts';
import { World } from './world.ts';

interface Talk {
  readonly world: World;
  readonly server: SimProcess;
  readonly near: Channel;
  readonly far: Channel;
  readonly nearEar: Ear;
  readonly farEar: Ear;
}

/** A connection from process `client` on host `c` to process `server` on host `s`. */
async function talk(
  world: World,
  ears: { readonly near?: Ear; readonly far?: Ear } = {},
): Promise<Talk> {
  const nearEar = ears.near ?? new Ear();
  const farEar = ears.far ?? new Ear();
  let far: Channel | undefined;
  const server = world.process('server', {
    host: world.host('s'),
    main: async (runtime) => {
      await listen(runtime, (channel) => {
        far = channel;
        return farEar;
      });
    },
  });
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const near = await world.complete(client.call((runtime) => connect(runtime, at('s'), nearEar)));
  if (!far) throw new Error('nobody accepted');
  return { world, server, near, far, nearEar, farEar };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

test('entries arrive whole and in order, in pieces, with losses, beside their payloads', async (t) => {
  const world = new World({ seed: 1 });
  world.network.set({ fragmentProbability: 0.5, lossProbability: 0.2 });
  const { near, farEar } = await talk(world);
  const payloads = numbers(50).map((text) => Buffer.from(text.repeat(1000)));
  payloads.forEach((payload, i) => near.send(entryOf(`entry ${i}`, payload)));
  near.send([...entryOf('a'), ...entryOf(''), ...entryOf('c')]);
  await world.run({ until: () => farEar.heard.length === 53 });
  t.deepEqual(farEar.heard, [...numbers(50).map((i) => `entry ${i}`), 'a', '', 'c']);
  t.deepEqual(farEar.payloads, payloads);
});

test('a payload goes to the buffers that its receiver names', async (t) => {
  const buffers = [Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(4)];
  const given: (readonly Uint8Array[])[] = [];
  class Sink extends Ear {
    override payloadSink(): readonly Uint8Array[] {
      return buffers;
    }
    override entry(_: Uint8Array, payload: readonly Uint8Array[]): void {
      given.push(payload);
    }
  }
  const world = new World({ seed: 1 });
  world.network.set({ fragmentProbability: 1 });
  const { near } = await talk(world, { far: new Sink() });
  near.send(entryOf('x', Buffer.from('1234567')));
  await world.run({ until: () => given.length === 1 });
  t.is(given[0], buffers);
  t.deepEqual(buffers.map(String), ['123', '', '4567']);
});

test('connections overtake each other, one connection keeps its order', async (t) => {
  const world = new World({ seed: 1 });
  const heard: string[] = [];
  world.process('server', {
    host: world.host('s'),
    main: async (runtime) => {
      await listen(runtime, () => new Ear((text) => heard.push(text)));
    },
  });
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const dial = (): Promise<Channel> =>
    world.complete(client.call((runtime) => connect(runtime, at('s'), new Ear())));
  const [a, b] = [await dial(), await dial()];
  for (let i = 0; i < 30; i++) {
    a.send(entryOf(`a${i}`));
    b.send(entryOf(`b${i}`));
  }
  await world.run({ until: () => heard.length === 60 });
  for (const name of ['a', 'b']) {
    t.deepEqual(
      heard.filter((text) => text.startsWith(name)),
      numbers(30).map((i) => name + i),
    );
  }
  const sent = numbers(30).flatMap((i) => [`a${i}`, `b${i}`]);
  t.notDeepEqual(heard, sent);
});

test('both ends hear of a close once, the near one its own reason, after all that was sent', async (t) => {
  const { world, near, far, nearEar, farEar } = await talk(new World({ seed: 1 }));
  let taken = 0;
  for (const text of numbers(10)) near.send(entryOf(text), () => taken++);
  const reason = new Error('enough');
  near.close(reason);
  near.close(new Error('again'));
  t.is(nearEar.reasons.length, 0, 'never within the call');
  near.send(entryOf('too late'), () => taken++);
  await world.run({ untilMs: 100 });
  far.close(new Error('too late'));
  await world.run({ untilMs: 200 });
  t.deepEqual(nearEar.reasons, [reason]);
  t.is(farEar.reasons.length, 1);
  t.like(farEar.reasons[0], { code: 'ECONNRESET' });
  t.deepEqual(farEar.heard, numbers(10));
  t.is(taken, 11);
  t.is(near.bufferedBytes, 0);
});

test('nothing is heard after a close, not even the rest of the same packet', async (t) => {
  const { world, near, far, farEar } = await talk(new World({ seed: 1 }), {
    far: new Ear(() => far.close(new Error('enough'))),
  });
  near.send(['a', 'b', 'c'].flatMap((text) => entryOf(text)));
  await world.run({ untilMs: 100 });
  t.deepEqual(farEar.heard, ['a']);
  t.is(farEar.reasons.length, 1);
});

test('a peer that does not read makes bytes wait; it is drained when it reads on', async (t) => {
  const { world, server, near, nearEar, farEar } = await talk(new World({ seed: 1 }));
  const payload = Buffer.alloc(limits.payloadBytesMax);
  server.pause();
  let taken = 0;
  for (let i = 0; i < 8; i++) near.send(entryOf(String(i), payload), () => taken++);
  await world.run({ untilMs: 1000 });
  t.true(taken < 8);
  t.true(near.bufferedBytes > limits.channelHighWaterBytes);
  t.is(nearEar.drainedCount, 0);
  server.resume();
  await world.run({ until: () => farEar.heard.length === 8 && taken === 8 });
  t.is(near.bufferedBytes, 0);
  t.is(nearEar.drainedCount, 1);
});

test('a peer that never reads is cut at the bound of what waits for it (SCENARIOS 132)', async (t) => {
  const { world, near, nearEar } = await talk(new World({ seed: 1 }));
  world.network.block('c', 's');
  const payload = Buffer.alloc(limits.payloadBytesMax);
  let taken = 0;
  const count = limits.channelBufferedBytesMax / payload.length + 1;
  for (let i = 0; i < count; i++) near.send(entryOf('x', payload), () => taken++);
  await world.run({ untilMs: 100 });
  t.like(nearEar.reasons, [{ code: 'ECONNRESET' }]);
  t.is(taken, count);
});

test('a buffer that is changed before it was taken fails the run', async (t) => {
  const { world, near } = await talk(new World({ seed: 1 }));
  const segments = entryOf('payload');
  near.send(segments);
  segments[1]?.fill(0, 3);
  await t.throwsAsync(world.run({ untilMs: 100 }), {
    message: /process client: ContractBreach: a buffer was used again .* byte 11 of 15/,
  });
});

test('a buffer may be changed once it was taken', async (t) => {
  const { world, near, farEar } = await talk(new World({ seed: 1 }));
  const segments = entryOf('payload');
  near.send(segments, () => segments.forEach((segment) => segment.fill(0)));
  await world.run({ untilMs: 100 });
  t.deepEqual(farEar.heard, ['payload']);
});

test('a body is spoilt after the call for which it is valid, a payload belongs to its receiver', async (t) => {
  const kept: Uint8Array[] = [];
  class Keeper extends Ear {
    override entry(body: Uint8Array, payload: readonly Uint8Array[]): void {
      kept.push(body, ...payload);
    }
  }
  const { world, near } = await talk(new World({ seed: 1 }), { far: new Keeper() });
  near.send(entryOf('body', Buffer.from('payload')));
  await world.run({ until: () => kept.length === 2 });
  t.notDeepEqual(String(kept[0]), 'body');
  t.is(Buffer.from(kept[1] ?? []).toString(), 'payload');
});

const breaches: Record<string, Uint8Array> = {
  'a head that is cut off': Buffer.from([0, 0, 0]),
  'a body longer than its packet': Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 1]),
  'a payload longer than its packet': Buffer.from([1, 0, 0, 0, 9, 0, 0, 0, 1, 2]),
  'a body beyond its bound': Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  'a payload beyond its bound': Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
};

for (const [title, packet] of Object.entries(breaches)) {
  test(`${title} costs that one connection (SCENARIOS 148)`, async (t) => {
    const { world, near, nearEar, farEar } = await talk(new World({ seed: 1 }));
    near.send(entryOf('fine'));
    near.send([packet]);
    near.send(entryOf('never heard'));
    await world.run({ untilMs: 100 });
    t.deepEqual(farEar.heard, ['fine']);
    t.is(farEar.reasons.length, 1);
    t.true(farEar.reasons[0] instanceof ProtocolError);
    t.like(nearEar.reasons, [{ code: 'ECONNRESET' }]);
  });
}

test('a packet above its bound is a mistake of the sender', async (t) => {
  const { near } = await talk(new World({ seed: 1 }));
  t.throws(() => near.send([Buffer.alloc(limits.packetBytesMax + 1)]), { name: 'AssertionError' });
});

test('a receiver that refuses a payload closes the channel; a wrong sink fails the run', async (t) => {
  class Refuser extends Ear {
    readonly #error: FsError | undefined;
    constructor(error?: FsError) {
      super();
      this.#error = error;
    }
    override payloadSink(): readonly Uint8Array[] {
      if (this.#error) throw this.#error;
      return [Buffer.alloc(1)];
    }
  }
  const error = new FsError('EPERM');
  const refused = await talk(new World({ seed: 1 }), { far: new Refuser(error) });
  refused.near.send(entryOf('x', Buffer.alloc(5)));
  await refused.world.run({ untilMs: 100 });
  t.deepEqual(refused.farEar.reasons, [error]);
  t.is(refused.nearEar.reasons.length, 1);

  const wrong = await talk(new World({ seed: 1 }), { far: new Refuser() });
  wrong.near.send(entryOf('x', Buffer.alloc(5)));
  await t.throwsAsync(wrong.world.run({ untilMs: 100 }), { message: /AssertionError/ });
});

test('a connection is refused, not found, or not answered', async (t) => {
  const world = new World({ seed: 1 });
  world.host('s');
  world.host('off').powerLoss();
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const dial = (host: string): Promise<Channel> =>
    world.complete(client.call((runtime) => connect(runtime, at(host), new Ear(), 1000)));
  await t.throwsAsync(dial('s'), { code: 'ECONNREFUSED' });
  await t.throwsAsync(dial('nowhere'), { code: 'ENOTFOUND' });
  for (const host of ['off', '10.9.9.9']) {
    const startMs = world.nowMs;
    await t.throwsAsync(dial(host), { code: 'ETIMEDOUT' });
    t.is(Math.round(world.nowMs - startMs), 1000);
  }
});

test('names resolve to addresses, unless they are made to fail (SCENARIOS 158)', async (t) => {
  const world = new World({ seed: 1 });
  world.host('s');
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const resolve = (host: string): Promise<readonly string[]> =>
    world.complete(client.call(({ net }) => net.resolve(host)));
  t.deepEqual(await resolve('s'), ['10.0.0.1']);
  t.deepEqual(await resolve('10.0.0.1'), ['10.0.0.1']);
  t.deepEqual(await resolve('localhost'), ['127.0.0.1']);
  await t.throwsAsync(resolve('x'), { code: 'ENOTFOUND' });
  world.network.names.set('s', 'EAGAIN');
  await t.throwsAsync(resolve('s'), { code: 'EAGAIN' });
  world.network.names.set('s', ['10.0.0.2']);
  t.deepEqual(await resolve('s'), ['10.0.0.2']);
});

test('a listener has its address alone, and only addresses of its own', async (t) => {
  const world = new World({ seed: 1 });
  const server = world.process('server', { host: world.host('s'), main: () => undefined });
  const bind = (host: string, port: number) =>
    world.complete(
      server.call((runtime) => listen(runtime, () => new Ear(), { endpoint: at(host, port) })),
    );
  const first = await bind('0.0.0.0', 7300);
  await t.throwsAsync(bind('s', 7300), { code: 'EADDRINUSE' });
  await t.throwsAsync(bind('c', 7301), { code: 'EADDRNOTAVAIL' });
  await t.throwsAsync(bind('s', 80), { code: 'EACCES' });
  const chosen = await bind('127.0.0.1', 0);
  t.true(chosen.endpoint.kind === 'tcp' && chosen.endpoint.port > 1024);
  await world.complete(server.call(() => first.close()));
  await t.notThrowsAsync(bind('s', 7300));
  server.restart();
  await t.notThrowsAsync(bind('s', 7300), 'a port is free when its process has died');
});

test('loopback and unix sockets are reached from their own host only', async (t) => {
  const world = new World({ seed: 1 });
  const peers: string[] = [];
  const main: (
    options: Pick<ListenOptions, 'endpoint'>,
  ) => Parameters<World['process']>[1]['main'] = (options) => async (runtime) => {
    await listen(
      runtime,
      ({ peerHost }) => {
        peers.push(peerHost);
        return new Ear();
      },
      options,
    );
  };
  const unix = { kind: 'unix', path: '/run/weft' } as const;
  world.process('tcp', { host: world.host('s'), main: main({ endpoint: at('127.0.0.1') }) });
  world.process('unix', { host: world.host('s'), main: main({ endpoint: unix }) });
  const inside = world.process('inside', { host: world.host('s'), main: () => undefined });
  const outside = world.process('outside', { host: world.host('c'), main: () => undefined });
  for (const endpoint of [at('s'), at('localhost'), unix]) {
    await t.notThrowsAsync(
      world.complete(inside.call((runtime) => connect(runtime, endpoint, new Ear()))),
    );
    await t.throwsAsync(
      world.complete(outside.call((runtime) => connect(runtime, endpoint, new Ear()))),
      { code: 'ECONNREFUSED' },
    );
  }
  t.deepEqual(peers, ['127.0.0.1', '127.0.0.1', 'local']);
});

test('a listener refuses what is beyond its bound and closes what stands when it is closed', async (t) => {
  const world = new World({ seed: 1 });
  const ears: Ear[] = [];
  const server = world.process('server', { host: world.host('s'), main: () => undefined });
  const listener = await world.complete(
    server.call((runtime) =>
      listen(
        runtime,
        () => {
          const ear = new Ear();
          ears.push(ear);
          return ear;
        },
        { connectionsMax: 2 },
      ),
    ),
  );
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const clientEars = [new Ear(), new Ear(), new Ear()] as const;
  const dial = (ear: ChannelHandlers): Promise<Channel> =>
    world.complete(client.call((runtime) => connect(runtime, at('s'), ear)));
  const first = await dial(clientEars[0]);
  await dial(clientEars[1]);
  await t.throwsAsync(dial(clientEars[2]), { code: 'ECONNRESET' });
  first.close(new Error('room for another'));
  await world.run({ untilMs: world.nowMs + 10 });
  await dial(clientEars[2]);
  await world.complete(server.call(() => listener.close()));
  await world.run({ untilMs: world.nowMs + 10 });
  t.deepEqual(
    [...ears, ...clientEars].map(({ reasons }) => reasons.length),
    [1, 1, 1, 1, 1, 1],
  );
  await t.throwsAsync(dial(new Ear()), { code: 'ECONNREFUSED' });
});

test('an acceptor that throws closes that connection', async (t) => {
  const world = new World({ seed: 1 });
  world.process('server', {
    host: world.host('s'),
    main: async (runtime) => {
      await listen(runtime, () => {
        throw new FsError('EBUSY');
      });
    },
  });
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  const ear = new Ear();
  await world.complete(client.call((runtime) => connect(runtime, at('s'), ear)));
  await world.run({ until: () => ear.reasons.length === 1 });
  t.like(ear.reasons[0], { code: 'ECONNRESET' });
});

test('what an acceptor sends at once arrives after the connection stands', async (t) => {
  const world = new World({ seed: 1 });
  world.process('server', {
    host: world.host('s'),
    main: async (runtime) => {
      await listen(runtime, (channel) => {
        channel.send(entryOf('welcome'));
        return new Ear();
      });
    },
  });
  const ear = new Ear();
  const client = world.process('client', { host: world.host('c'), main: () => undefined });
  await world.complete(client.call((runtime) => connect(runtime, at('s'), ear)));
  t.deepEqual(ear.heard, []);
  await world.run({ until: () => ear.heard.length === 1 });
});

test('a listener answers HTTP', async (t) => {
  const world = new World({ seed: 1 });
  world.process('server', {
    host: world.host('s'),
    main: async ({ net }) => {
      await net.listen({
        endpoint: at('s'),
        connectionsMax: 1,
        accept: () => new Ear(),
        http: ({ method, path }) => ({
          status: 200,
          contentType: 'text/plain',
          body: `${method} ${path}`,
        }),
      });
    },
  });
  await world.run({ untilMs: 1 });
  t.like(await world.complete(world.network.http('s', 7300, '/health')), { body: 'GET /health' });
  await t.throwsAsync(world.complete(world.network.http('s', 1, '/')), { code: 'ECONNREFUSED' });
});
