/**
 * Connections that end, or crawl, at any byte: of the handshake, of the requests, of the answers.
 * All calls go through proxies to real daemons.
 */
import test, { type ExecutionContext } from 'ava';
import { connect, isFsError } from '../../client/index.ts';
import { TestCluster } from '../system/cluster-fixture.ts';
import { type Cut, type Direction, FaultProxy } from './fault-proxy.ts';
import { Scene } from './scene.ts';
import { shortLimits } from './short-limits.ts';

const text = 'what was written';

/** A small set of calls, all on the first iod; each must succeed, and happen once. */
async function callAll(t: ExecutionContext, url: string, name: string): Promise<void> {
  const fs = await connect(url, { callDeadlineMs: 60_000, deadlineMs: 60_000 });
  try {
    const path = `/${name}`;
    const file = await fs.open(path, 'wx+', { layout: { base: 0, pcount: 1 } });
    await file.write(Buffer.from(text), 0);
    t.is((await file.write(Buffer.from(text), 'end')).position, text.length, name);
    await file.close();
    await fs.rename(path, `${path}-renamed`);
    t.is((await fs.readFile(`${path}-renamed`)).toString(), text + text, name);
    await fs.unlink(`${path}-renamed`);
  } finally {
    await fs.close();
  }
}

interface Case {
  readonly direction: Direction;
  readonly after: number;
  readonly how: Cut;
}

interface Spread {
  readonly proxyOf: (cluster: TestCluster) => FaultProxy;
  /** Every so-manieth byte of the greeting and the proof, and of what follows. */
  readonly strides: readonly [number, number];
}

/** Both greet alike. A soak tries every byte. */
const links: Readonly<Record<string, Spread>> = {
  mgr: { proxyOf: ({ routes }) => routes.mgr, strides: [1, 61] },
  iod: { proxyOf: ({ routes }) => routes.iod(0), strides: [9, 61] },
};
const greetingBytes = 256;

function casesFor(passed: Readonly<Record<Direction, number>>, strides: Spread['strides']): Case[] {
  const [atFirst, later] = process.env['WEFT_SOAK'] === '1' ? [1, 1] : strides;
  const cases: Case[] = [];
  for (const direction of ['toServer', 'toClient'] as const) {
    for (
      let after = 0;
      after < passed[direction];
      after += after < greetingBytes ? atFirst : later
    ) {
      cases.push({ direction, after, how: after % 2 === 0 ? 'reset' : 'end' });
    }
  }
  return cases;
}

for (const [link, { proxyOf, strides }] of Object.entries(links)) {
  test.serial(
    `the connection to the ${link} is cut at any of its bytes: every call succeeds, and happens once (SCENARIOS 123-127, 159, 160)`,
    async (t) => {
      const cluster = await TestCluster.start(t, { iods: 1, proxied: true });
      const proxy = proxyOf(cluster);
      await callAll(t, cluster.url, 'measured');
      const cases = casesFor(proxy.passed, strides);
      for (const { direction, after, how } of cases) {
        const accepted = proxy.accepted;
        proxy.setOnce({ [direction]: { kind: 'cut', after, how } });
        await callAll(t, cluster.url, `${direction}-${after}`);
        t.true(proxy.accepted > accepted);
      }
      t.log(`${cases.length} cuts; ${JSON.stringify(proxy.passed)} bytes`);
      const fs = await cluster.connect();
      t.deepEqual(await fs.readdir('/'), []);
      t.is((await fs.status()).opens, 0);
    },
  );
}

test.serial(
  'all bytes one by one, and all late: every call succeeds (SCENARIOS 139, 140)',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1, proxied: true });
    for (const rule of [
      { kind: 'drip', everyMs: 0 } as const,
      { kind: 'delay', ms: 20 } as const,
    ]) {
      for (const proxy of cluster.routes.all) proxy.set({ toServer: rule, toClient: rule });
      await callAll(t, cluster.url, rule.kind);
    }
  },
);

test.serial(
  'who says one byte a second, or none, is cut at the limit, and holds nobody up (SCENARIOS 130-132)',
  async (t) => {
    const scene = await Scene.begin(t, { limits: shortLimits });
    const { host, port } = scene.cluster.mgr.spec;
    const proxy = await FaultProxy.listen({ host, port });
    t.teardown(() => proxy.close());
    for (const rule of [{ kind: 'drip', everyMs: 1000 }, { kind: 'freeze' }] as const) {
      proxy.set({ toServer: rule });
      const fs = connect(`ws://${host}:${proxy.port}?key=${scene.cluster.keyFile}`, {
        deadlineMs: 2000,
      });
      const error = await t.throwsAsync(scene.orFailure(fs));
      t.true(isFsError(error) && error.code === 'ETIMEDOUT', error?.message);
      await scene.goesOn();
    }
    await scene.end();
  },
);
