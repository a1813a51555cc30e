import test from 'ava';
import { noSecret, prove, transcriptOf } from '../../../shared/auth.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import {
  anonymous,
  type Credential,
  type Hello,
  requireKey,
} from '../../../shared/rpc/handshake.ts';
import { BufferPool } from '../../../shared/buffer-pool.ts';
import { Connection } from '../../../shared/rpc/connection.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import { Service } from '../../../shared/rpc/service.ts';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { Ear, entryOf } from '../../sim/runtime/talk.ts';
import { at, clientSelf, failure, ops, Pair, serverSelf, stranger } from './pair.ts';

const secret = Buffer.alloc(32, 7);
const withKey = (key: Uint8Array): Credential => ({ kind: 'cluster', name: '', key });
const guarded = {
  acceptor: {
    admit: (hello: Hello) => {
      requireKey(hello.key, secret);
      return { key: secret, peer: stranger({ node: hello.node }) };
    },
  },
};

function hello(changes: Partial<Hello> = {}): Hello {
  return {
    versionMin: 1,
    versionMax: 1,
    role: 'client',
    cluster: '',
    node: 'prog',
    incarnation: 1,
    key: 'none',
    keyName: '',
    nonce: Buffer.alloc(32, 1),
    ...changes,
  };
}

test('two that have the same key let each other in, and know who the other is', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const connection = await pair.run(() => pair.proved(clientSelf, withKey(secret)));
  t.like(connection.peer, { role: 'iod', node: 'iod0', trusted: true });
  t.deepEqual(connection.binding?.key, secret);
  const options = { deadline: pair.deadline(1000) };
  t.deepEqual(await pair.run(() => connection.call(ops.echo, { n: 4 }, options)), { n: 4 });
});

test('a wrong key is refused by the connector, which is asked to prove nothing', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const wrong = withKey(Buffer.alloc(32, 8));
  const error = await failure(pair.run(() => pair.proved(clientSelf, wrong)));
  t.like(error, { code: 'EKEYREJECTED', weftCode: 'WEFT_E_BAD_KEY' });
});

test('a connector that proves another key is refused and counted (SCENARIOS 50, 261)', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const error = await failure(
    pair.run(async () => {
      const connection = await pair.raw();
      const deadline = pair.deadline(1000);
      const ours = hello({ key: 'cluster' });
      const answer = await connection.call(linkOps.hello, ours, { deadline });
      const transcript = transcriptOf(
        encode(linkOps.hello.request, ours),
        encode(linkOps.hello.reply, { ...answer, proof: new Uint8Array(32) }),
      );
      const proof = prove(Buffer.alloc(32, 8), 'connector', transcript);
      await connection.call(linkOps.prove, { proof }, { deadline });
    }),
  );
  t.like(error, { code: 'EKEYREJECTED', weftCode: 'WEFT_E_BAD_KEY' });
  t.is(pair.acceptor.refusedPeers, 1);
});

test('the proof of the acceptor is no proof of the connector', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const error = await failure(
    pair.run(async () => {
      const connection = await pair.raw();
      const deadline = pair.deadline(1000);
      const { proof } = await connection.call(linkOps.hello, hello({ key: 'cluster' }), {
        deadline,
      });
      await connection.call(linkOps.prove, { proof }, { deadline });
    }),
  );
  t.is(error.weftCode, 'WEFT_E_BAD_KEY');
});

test('a handshake that was recorded lets nobody in a second time (SCENARIOS 262)', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const ours = hello({ key: 'cluster' });
  let recorded: Uint8Array | undefined;
  const shakeHands = (): Promise<void> =>
    pair.run(async () => {
      const connection = await pair.raw();
      const deadline = pair.deadline(1000);
      const answer = await connection.call(linkOps.hello, ours, { deadline });
      recorded ??= prove(
        secret,
        'connector',
        transcriptOf(
          encode(linkOps.hello.request, ours),
          encode(linkOps.hello.reply, { ...answer, proof: new Uint8Array(32) }),
        ),
      );
      await connection.call(linkOps.prove, { proof: recorded }, { deadline });
    });
  await shakeHands();
  t.is(pair.acceptor.acceptedPeers, 1);
  t.like(await failure(shakeHands()), { code: 'EKEYREJECTED', weftCode: 'WEFT_E_BAD_KEY' });
  t.is(pair.acceptor.acceptedPeers, 1);
});

test('whoever has no key learns that one is needed', async (t) => {
  const pair = new Pair(guarded);
  await pair.pass(10);
  const error = await failure(pair.run(() => pair.proved(clientSelf, anonymous)));
  t.like(error, { code: 'EKEYREJECTED', weftCode: 'WEFT_E_NO_KEY' });
  t.is(pair.acceptor.refusedPeers, 1);
  t.notThrows(() => requireKey('none', noSecret));
});

test('a member of another cluster is refused; one that knows of none is not', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const foreign = { ...clientSelf, cluster: () => 'c2' };
  const error = await failure(pair.run(() => pair.proved(foreign)));
  t.like(error, { code: 'EPROTO', weftCode: 'WEFT_E_OTHER_CLUSTER' });
  t.regex(error.message, /c2.*c1/);
  await pair.run(() => pair.proved({ ...clientSelf, cluster: () => '' }));
});

test('no common version is a refusal that names both ranges (SCENARIOS 252, 253)', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const ask = (versionMin: number, versionMax: number) =>
    pair.run(async () => {
      const connection = await pair.raw();
      const options = { deadline: pair.deadline(1000) };
      return connection.call(linkOps.hello, hello({ versionMin, versionMax }), options);
    });
  const error = await failure(ask(2, 9));
  t.like(error, { code: 'EPROTO', weftCode: 'WEFT_E_VERSION' });
  t.regex(error.message, /2-9.*1-1/);
  t.is((await ask(1, 9)).version, 1);
});

test('of two ranges the highest version that both speak is chosen (SCENARIOS 252)', async (t) => {
  const cases = [
    { ours: [1, 2], theirs: [1, 1], common: 1 },
    { ours: [1, 2], theirs: [1, 2], common: 2 },
    { ours: [1, 2], theirs: [2, 5], common: 2 },
    { ours: [2, 3], theirs: [1, 9], common: 3 },
  ] as const;
  for (const { ours, theirs, common } of cases) {
    const [min, max] = ours;
    const pair = new Pair({
      acceptor: { self: { ...serverSelf, versions: () => ({ min, max }) } },
    });
    await pair.pass(10);
    const [versionMin, versionMax] = theirs;
    const answer = await pair.run(async () => {
      const connection = await pair.raw();
      const options = { deadline: pair.deadline(1000) };
      return connection.call(linkOps.hello, hello({ versionMin, versionMax }), options);
    });
    t.is(answer.version, common);
    const versions = () => ({ min: versionMin, max: versionMax });
    await t.notThrowsAsync(pair.run(() => pair.proved({ ...clientSelf, versions })));
  }
});

test('an acceptor that chooses a version which was not offered is refused for good (SCENARIOS 253)', async (t) => {
  const pair = new Pair();
  const endpoint = { kind: 'tcp', host: 'l', port: 7300 } as const;
  const unproved = new Uint8Array(32);
  const service = new Service().serve(linkOps, {
    hello: (asked) => {
      const answer = {
        version: 9,
        role: 'iod',
        cluster: 'c1',
        node: 'iod0',
        incarnation: 1,
      } as const;
      const reply = { ...answer, nonce: Buffer.alloc(32, 2), proof: unproved };
      const transcript = transcriptOf(
        encode(linkOps.hello.request, asked),
        encode(linkOps.hello.reply, reply),
      );
      return { ...reply, proof: prove(noSecret, 'acceptor', transcript) };
    },
    prove: () => ({}),
    ping: () => ({ wall: { seconds: 0, nanoseconds: 0 } }),
  });
  pair.world.process('liar', {
    host: pair.world.host('l'),
    main: async (runtime) => {
      const accept = (channel: Channel): Connection => {
        const connection = new Connection({
          runtime,
          epochs: new EpochWatch(),
          buffers: new BufferPool(0),
          service,
        });
        connection.open(channel);
        return connection;
      };
      await runtime.net.listen({ endpoint, accept, connectionsMax: 1 });
    },
  });
  await pair.pass(10);
  const error = await failure(
    pair.run(() => {
      const link = pair.link({ endpoints: () => [endpoint] });
      return link.call(ops.echo, { n: 1 }, { deadline: pair.deadline(60_000) });
    }),
  );
  t.like(error, { code: 'EPROTO', weftCode: 'WEFT_E_VERSION' });
  t.regex(error.message, /has chosen protocol 9, we 1-1/);
});

test('a daemon of another role than the expected one is final', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const error = await failure(
    pair.run(() => {
      const link = pair.link({ expect: 'mgr', name: 'the mgr' });
      return link.call(ops.echo, { n: 1 }, { deadline: pair.deadline(60_000) });
    }),
  );
  t.like(error, { code: 'EPROTO', weftCode: 'WEFT_E_NOT_WEFT' });
  t.regex(error.message, /is a weftfs iod, not a mgr/);
});

test('who does not prove itself in time is cut and counted', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const reasons: FsError[] = [];
  await pair.run(() => pair.raw(undefined, (reason) => reasons.push(reason)));
  await pair.pass(limits.authenticationTimeoutMs - 100);
  t.is(pair.acceptor.connectionCount, 1);
  await pair.pass(200);
  t.is(pair.acceptor.connectionCount, 0);
  t.is(pair.acceptor.refusedPeers, 1);
  t.is(reasons.length, 1);
});

for (const [what, talk] of Object.entries({
  'a second hello': [linkOps.hello, linkOps.hello],
  'a proof before the hello': [linkOps.prove],
  'a ping before the proof': [linkOps.ping],
})) {
  test(`${what} ends the connection`, async (t) => {
    const pair = new Pair();
    await pair.pass(10);
    const error = await failure(
      pair.run(async () => {
        const connection = await pair.raw();
        const options = { deadline: pair.deadline(1000) };
        for (const one of talk) {
          if (one === linkOps.hello) await connection.call(linkOps.hello, hello(), options);
          else if (one === linkOps.ping) await connection.call(linkOps.ping, {}, options);
          else await connection.call(linkOps.prove, { proof: Buffer.alloc(32) }, options);
        }
      }),
    );
    t.is(error.code, 'EPIPE');
    t.is(pair.ended[0]?.code, 'EPROTO');
  });
}

test('before the proof no other message is known, and nothing else is answered (SCENARIOS 154)', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  const error = await failure(
    pair.run(async () => {
      const connection = await pair.raw();
      await connection.call(ops.echo, { n: 1 }, { deadline: pair.deadline(1000) });
    }),
  );
  t.is(error.code, 'ENOSYS');
});

test('bytes behind a message before the proof end the connection unread', async (t) => {
  const pair = new Pair();
  await pair.pass(10);
  for (const kind of [1, 2]) {
    const body = Buffer.alloc(36);
    body.writeUInt8(kind, 0);
    const ear = new Ear();
    const [head, , payload] = entryOf('x'.repeat(36), Buffer.alloc(1000));
    const channel = await pair.run(() => pair.runtime.net.connect(at, { timeoutMs: 1000 }, ear));
    channel.send([head, body, payload].filter((one) => one !== undefined));
    await pair.pass(100);
    t.is(ear.reasons.length, 1);
    t.is(pair.ended.at(-1)?.message, 'EPROTO: payload before the proof');
  }
});

test('garbage ends the connection, whatever it is', async (t) => {
  const pair = new Pair({ logLevel: 'warn' });
  await pair.pass(10);
  const zeros = Buffer.alloc(36);
  const bodies = ['', 'x', 'y'.repeat(36), 'z'.repeat(4000), zeros.toString('latin1')];
  for (const body of bodies) {
    const ear = new Ear();
    const channel = await pair.run(() => pair.runtime.net.connect(at, { timeoutMs: 1000 }, ear));
    channel.send(entryOf(body));
    await pair.pass(100);
    t.is(ear.reasons.length, 1, `body of ${body.length}`);
    t.is(pair.ended.at(-1)?.code, 'EPROTO');
  }
  const breaches = pair.world.log.lines.filter(({ message }) => message === 'protocol breach');
  t.is(breaches.length, bodies.length);
});
