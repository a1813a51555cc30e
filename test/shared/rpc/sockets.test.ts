/** What the simulated network cannot show: the same over real sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { noSecret } from '../../../shared/auth.ts';
import { BufferPool } from '../../../shared/buffer-pool.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Acceptor } from '../../../shared/rpc/acceptor.ts';
import { EpochWatch } from '../../../shared/rpc/epoch-watch.ts';
import { anonymous, serveLink } from '../../../shared/rpc/handshake.ts';
import { Link } from '../../../shared/rpc/link.ts';
import { Bulk, Service } from '../../../shared/rpc/service.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Endpoint } from '../../../shared/runtime/runtime.ts';
import { bytesOf, clientSelf, failure, ops, serverSelf, stranger } from './pair.ts';

const runtime = makeNodeRuntime({ log: 'silent' });
const content = bytesOf(limits.payloadBytesMax);

async function endpointOf(kind: Endpoint['kind'], t: ExecutionContext): Promise<Endpoint> {
  if (kind === 'tcp') return { kind, host: '127.0.0.1', port: 0 };
  const directory = await mkdtemp(join(tmpdir(), 'weft-rpc-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return { kind, path: join(directory, 'socket') };
}

async function connected(kind: Endpoint['kind'], t: ExecutionContext) {
  const stored: Buffer[] = [];
  const acceptor = new Acceptor({
    runtime,
    self: serverSelf,
    epochs: new EpochWatch(),
    buffers: new BufferPool(4 * limits.payloadBytesMax),
    admit: () => ({ key: noSecret, peer: stranger() }),
    service: serveLink(new Service()).serve(ops, {
      echo: ({ n }) => ({ n }),
      change: async ({ n }) => {
        await Promise.resolve();
        return { n };
      },
      abandon: () => ({ made: undefined }),
      once: ({ n }) => ({ n }),
      fetch: ({ length }) => new Bulk({ length }, [content.subarray(0, length)]),
      store: ({ n }, { payload }) => {
        stored[n] = Buffer.concat(payload);
        return { n };
      },
      forMgr: ({ n }) => ({ n }),
      even: ({ n }) => ({ n }),
    }),
  });
  const endpoint = await acceptor.listen(await endpointOf(kind, t));
  const link = new Link({
    runtime,
    self: clientSelf,
    epochs: new EpochWatch(),
    expect: 'iod',
    name: 'iod 0',
    persistent: false,
    endpoints: () => [endpoint],
    credential: () => anonymous,
    windowBytes: limits.windowBytesPerIod,
  });
  t.teardown(async () => {
    link.close();
    await acceptor.close(new FsError('ECANCELED'));
  });
  const options = () => ({ deadline: runtime.clock.now() + 60_000 });
  return { link, stored, options };
}

for (const kind of ['tcp', 'unix'] as const) {
  test(`${kind}: many calls at once are all answered`, async (t) => {
    const { link, options } = await connected(kind, t);
    for (const op of [ops.echo, ops.change]) {
      const replies = await Promise.all(
        Array.from({ length: 3000 }, (_, n) => link.call(op, { n }, options())),
      );
      t.true(replies.every(({ n }, at) => n === at));
    }
  });

  test(`${kind}: bytes of all sizes go both ways whole`, async (t) => {
    const { link, stored, options } = await connected(kind, t);
    const sizes = [0, 1, 4095, 65_536, 262_144, 262_145, limits.payloadBytesMax];
    await Promise.all(
      sizes.map(async (length, n) => {
        const into = [Buffer.alloc(length)];
        const payload = [content.subarray(0, length)];
        const [reply] = await Promise.all([
          link.call(ops.fetch, { length }, { ...options(), into }),
          link.call(ops.store, { n }, { ...options(), payload }),
        ]);
        t.is(reply.length, length);
        t.true(content.subarray(0, length).equals(Buffer.concat(into)));
        t.true(stored[n]?.equals(Buffer.concat(payload)));
      }),
    );
  });

  test(`${kind}: reads that are given up touch nothing afterwards; the others come through`, async (t) => {
    const { link, options } = await connected(kind, t);
    const length = limits.payloadBytesMax;
    for (let round = 0; round < 10; round++) {
      const control = new AbortController();
      const given = Buffer.alloc(length);
      const kept = Buffer.alloc(length);
      const [up, other] = [
        link.call(ops.fetch, { length }, { ...options(), into: [given], signal: control.signal }),
        link.call(ops.fetch, { length }, { ...options(), into: [kept] }),
      ];
      const ended = failure(up).catch(() => undefined);
      for (let turn = 0; turn < round; turn++) await link.call(ops.echo, { n: 1 }, options());
      control.abort();
      await ended;
      given.fill(0xee);
      await other;
      await link.call(ops.echo, { n: 2 }, options());
      t.true(kept.equals(content));
      t.true(given.every((byte) => byte === 0xee));
    }
  });

  test(`${kind}: a link finds its peer again after its end`, async (t) => {
    const { link, options } = await connected(kind, t);
    await link.call(ops.echo, { n: 1 }, options());
    const calls = Array.from({ length: 100 }, (_, n) => link.call(ops.echo, { n }, options()));
    link.connection?.close(new FsError('EPIPE'));
    const replies = await Promise.all(calls);
    t.true(replies.every(({ n }, at) => n === at));
  });
}
