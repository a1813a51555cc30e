/** Several endpoints, and who may be at those that are anybody's. */
import test from 'ava';
import { BufferPool } from '../../../shared/buffer-pool.ts';
import type { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Acceptor } from '../../../shared/rpc/acceptor.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import { serveLink } from '../../../shared/rpc/handshake.ts';
import type { LinkOptions } from '../../../shared/rpc/link.ts';
import { Service } from '../../../shared/rpc/service.ts';
import { endpointNamed } from '../../../shared/runtime/abstract-name.ts';
import type {
  Channel,
  ChannelHandlers,
  Endpoint,
  Runtime,
} from '../../../shared/runtime/runtime.ts';
import type { Main } from '../../sim/runtime/process.ts';
import { Ear, entryOf } from '../../sim/runtime/talk.ts';
import { at, ops, Pair, plainHandlers, serverSelf, stranger } from './pair.ts';

const key = Buffer.alloc(32, 7);
const dead: Endpoint = { kind: 'tcp', host: 's', port: 7301 };

/** Accepts, and says nothing. */
function silentAt(endpoint: Endpoint): Main {
  return async (runtime) => {
    await runtime.net.listen({ endpoint, connectionsMax: 100, accept: () => new Ear() });
  };
}

function acceptorAt(endpoint: Endpoint, itsKey: Uint8Array): Main {
  return async (runtime) => {
    const acceptor = new Acceptor({
      runtime,
      self: serverSelf,
      epochs: new EpochWatch(),
      buffers: new BufferPool(0),
      service: serveLink(new Service()).serve(ops, plainHandlers),
      admit: () => ({ key: itsKey, peer: stranger() }),
    });
    await acceptor.listen(endpoint);
  };
}

/** Hands on what it hears, both ways. */
function relay(near: Endpoint, far: Endpoint): Main {
  return async (runtime) => {
    await runtime.net.listen({
      endpoint: near,
      connectionsMax: 100,
      accept: (channel) => {
        const onward = reach(runtime, far, channel);
        return forwarding(() => onward);
      },
    });
  };
}

function reach(runtime: Runtime, far: Endpoint, back: Channel): Promise<Channel> {
  return runtime.net.connect(
    far,
    { timeoutMs: 1000 },
    forwarding(() => Promise.resolve(back)),
  );
}

function forwarding(to: () => Promise<Channel>): ChannelHandlers {
  return {
    payloadSink: () => undefined,
    entry: (body) => {
      const packet = rawEntryOf(body);
      void to().then((channel) => channel.send(packet));
    },
    drained: () => undefined,
    closed: (reason) => {
      void to().then((channel) => channel.close(reason));
    },
  };
}

function rawEntryOf(body: Uint8Array): Uint8Array[] {
  const [head = new Uint8Array()] = entryOf('x'.repeat(body.length));
  return [head, Buffer.from(body)];
}

/** The server that is meant is at `at`, on another host than the client and those that `here` has. */
async function meeting(endpoints: readonly Endpoint[], here: Readonly<Record<string, Main>>) {
  const pair = new Pair({ acceptor: { admit: () => ({ key, peer: stranger() }) } });
  for (const [name, main] of Object.entries(here)) {
    pair.world.process(name, { host: pair.world.host('c'), main });
  }
  await pair.pass(10);
  const reasons: FsError[] = [];
  const options: Partial<LinkOptions> = {
    endpoints: () => endpoints,
    credential: () => ({ kind: 'cluster', name: '', key }),
    onDown: (reason) => reasons.push(reason),
  };
  const link = await pair.run(() => pair.link(options));
  const ask = (): Promise<FsError | undefined> =>
    pair
      .run(() =>
        link.call(ops.echo, { n: 1 }, { deadline: pair.deadline(2 * limits.connectTimeoutMs) }),
      )
      .then(
        () => undefined,
        (error: unknown) => error as FsError,
      );
  return { pair, reasons, ask };
}

const silent = endpointNamed('silent');
const wrong = endpointNamed('wrong');

test('who does not prove itself at one endpoint keeps nobody from the next, in the time of one attempt', async (t) => {
  const { pair, reasons, ask } = await meeting([wrong, silent, at], {
    'with another key': acceptorAt(wrong, Buffer.alloc(32, 8)),
    silent: silentAt(silent),
  });
  const begun = pair.world.nowMs;
  t.is(await ask(), undefined);
  t.true(pair.world.nowMs - begun < limits.connectTimeoutMs);
  t.deepEqual(reasons, []);
});

test('when no endpoint leads to the peer, the last one says why', async (t) => {
  const { reasons, ask } = await meeting([silent, dead], { silent: silentAt(silent) });
  t.regex((await ask())?.message ?? '', /s:7301/);
  t.true(reasons.length > 0);
  for (const { message } of reasons) t.regex(message, /s:7301/);
});

test('who hands on what is said at a name is found out, wherever he hands it on to', async (t) => {
  const name = endpointNamed('near');
  const far = endpointNamed('far');
  for (const [to, onward] of Object.entries({ 'a port': at, 'another name': far })) {
    const here = { relay: relay(name, onward), 'server here': acceptorAt(far, key) };
    const { ask } = await meeting([name], here);
    t.is((await ask())?.weftCode, 'WEFT_E_BAD_KEY', to);
  }
});

test('at a name both ends agree about it, and at a port they have nothing to agree about', async (t) => {
  const name = endpointNamed('near');
  const { ask } = await meeting([name], { 'server here': acceptorAt(name, key) });
  t.is(await ask(), undefined);
});

test('a relay at a port is not found out: it is where who holds the port wants it', async (t) => {
  const port: Endpoint = { kind: 'tcp', host: 'c', port: 7310 };
  const { ask } = await meeting([port], { relay: relay(port, at) });
  t.is(await ask(), undefined);
});
