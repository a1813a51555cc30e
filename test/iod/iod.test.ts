/** How an iod starts, keeps its lease, tells its state, and stops. */
import test from 'ava';
import { makeIod } from '../../iod/iod.ts';
import { noSecret } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import { Gate, iodPort, overridden, servingStage, Stage } from './stage.ts';

const file = 1 as Handle;
const read = { handle: file, offset: 0, length: 9 };

// ------------------------------------------------------------- the lease

test('without the mgr an iod serves until its lease ends, and again when the mgr is back', async (t) => {
  const { stage, client } = await servingStage();
  stage.mgrProcess.kill();
  await stage.pass(limits.iodLeaseMs - limits.heartbeatIntervalMs - 2_000);
  await t.notThrowsAsync(client.once(dataOps.write, { handle: file, offset: 0 }, 'x'));
  await t.notThrowsAsync(client.once(dataOps.read, read));
  await stage.pass(limits.heartbeatIntervalMs + 2_000);
  const ended = { code: 'EAGAIN', message: /lease/ };
  await t.throwsAsync(client.once(dataOps.write, { handle: file, offset: 0 }, 'x'), ended);
  await t.throwsAsync(client.once(dataOps.read, read), ended);
  stage.mgrProcess.start();
  stage.startMgr();
  await t.notThrowsAsync(client.call(dataOps.read, read));
});

test('with the mgr there the lease never ends, and the mgr hears of the space', async (t) => {
  const { stage, client } = await servingStage();
  await stage.pass(5 * limits.iodLeaseMs);
  await t.notThrowsAsync(client.once(dataOps.read, read));
  t.true(stage.mgr.steps.filter((step) => step === 'report').length > 20);
});

test('a mgr that answers late does not make the lease longer', async (t) => {
  let isLate = false;
  const { stage, client } = await servingStage({
    mgr: {
      before: (step) =>
        isLate && step === 'report' ? new Promise<void>(() => undefined) : undefined,
    },
  });
  isLate = true;
  // The connection stands and pings go on; but no report has been answered.
  await stage.pass(limits.iodLeaseMs);
  t.is(stage.mgr.joins.length, 1);
  await t.throwsAsync(client.once(dataOps.read, read), { code: 'EAGAIN' });
});

// ------------------------------------------------------------- start and stop

test('the port is kept over restarts, and given up when another has it', async (t) => {
  const other = new Stage({ iod: { port: 0 } });
  await other.untilSynced();
  const first = other.mgr.addresses[0]?.port ?? 0;
  t.true(first > 0);
  other.iodProcess.restart();
  await other.untilSynced(2);
  t.is(other.mgr.addresses[1]?.port, first);
  other.iodProcess.kill();
  const squatter = other.world.process('squatter', {
    host: other.iodProcess.host,
    main: async ({ net }) => {
      const endpoint = { kind: 'tcp', host: 'b', port: first } as const;
      await net.listen({ endpoint, accept: acceptNobody, connectionsMax: 1 });
    },
  });
  await other.pass(10);
  other.iodProcess.start();
  await other.untilSynced(3);
  t.not(other.mgr.addresses[2]?.port, first);
  t.true(squatter.alive);
});

test('a port that is taken is told, and the iod lets go of its directory', async (t) => {
  const { stage } = await servingStage();
  const second = startSecond(stage, { dataDirectory: '/other', name: 'iod4' });
  await stage.world.run({ until: () => second.errors.length > 0 });
  t.like(second.errors, [{ code: 'EADDRINUSE', weftCode: 'WEFT_E_PORT_TAKEN' }]);
  const lock = await stage.world.complete(
    second.process.call(({ disk }) => disk.lock('/other', 'the next one')),
  );
  t.truthy(lock);
});

test('a second process on a directory is refused with the name of the first', async (t) => {
  const { stage, client } = await servingStage();
  const second = startSecond(stage, {});
  await stage.world.run({ until: () => second.errors.length > 0 });
  t.like(second.errors, [{ weftCode: 'WEFT_E_DATA_LOCKED' }]);
  t.regex(second.errors[0]?.message ?? '', /iod iod3, pid 1/);
  await t.notThrowsAsync(client.once(dataOps.read, read));
});

test('an iod of another cluster, or without the key, is told at its start', async (t) => {
  const { stage } = await servingStage();
  stage.startMgr({ cluster: 'another' });
  stage.iodProcess.restart();
  await stage.world.run({ until: () => stage.failures.length > 0 });
  t.like(stage.failures, [{ weftCode: 'WEFT_E_OTHER_CLUSTER' }]);
  const keyless = new Stage({ iod: { secret: Buffer.alloc(32, 9) } });
  await keyless.world.run({ until: () => keyless.failures.length > 0 });
  t.like(keyless.failures, [{ weftCode: 'WEFT_E_BAD_KEY' }]);
});

test('listening beyond loopback without a secret is refused before anything is touched', async (t) => {
  const stage = new Stage({ iod: { secret: noSecret } });
  await stage.world.run({ until: () => stage.failures.length > 0 });
  t.like(stage.failures, [{ weftCode: 'WEFT_E_OPEN_BIND' }]);
  t.is(stage.iodProcess.host.disk.list('/data'), undefined);
});

test('a data directory that has lost its objects is damaged, not empty', async (t) => {
  const { stage } = await servingStage();
  await stage.stopIod();
  await stage.world.complete(
    stage.iodProcess.call(async ({ disk }) => {
      await disk.rename('/data/objects', '/elsewhere');
    }),
  );
  stage.iodProcess.restart();
  await stage.world.run({ until: () => stage.failures.length > 0 });
  t.like(stage.failures, [{ weftCode: 'WEFT_E_DATA_DAMAGED' }]);
});

test('a stop says goodbye, refuses writes, ends what runs, and frees directory and port', async (t) => {
  const gate = new Gate();
  const { stage, client } = await servingStage({
    mgr: { before: (step) => (step === 'draining' ? gate.wait() : undefined) },
  });
  await client.once(dataOps.write, { handle: file, offset: 0 }, 'x');
  const stopped = stage.iodProcess.call(() => stage.stop?.());
  await stage.world.run({ until: () => stage.mgr.steps.at(-1) === 'draining' });
  await t.throwsAsync(client.once(dataOps.write, { handle: file, offset: 0 }, 'y'), {
    code: 'EAGAIN',
    message: /stopping/,
  });
  t.is(await client.read({ handle: 1, offset: 0, length: 9 }), 'x');
  gate.open();
  await stage.world.complete(stopped);
  t.is(stage.iodProcess.host.listeners.size, 0);
  t.deepEqual(stage.failures, []);
  const lock = await stage.world.complete(
    stage.iodProcess.call(({ disk }) => disk.lock('/data', 'the next one')),
  );
  t.truthy(lock);
});

test('an iod that is stopped before it serves ends its start, and frees everything', async (t) => {
  const stage = new Stage({ withoutMgr: true });
  await stage.pass(500);
  await stage.stopIod();
  t.like(stage.failures, [{ code: 'ECANCELED' }]);
  t.is(stage.iodProcess.host.disk.locks.size, 0);
});

test('an iod that is stopped while it begins to listen leaves no port, and nothing is written behind its lock', async (t) => {
  const order: string[] = [];
  const stage: Stage = new Stage({
    iod: { port: 0 },
    wrap: (runtime) => {
      const { net, disk, clock } = runtime;
      const listen: typeof net.listen = async (options) => {
        const listener = await net.listen(options);
        order.push('listens');
        void stage.stop?.().then(() => order.push('stopped'));
        await new Promise<void>((resolve) => clock.timer(100, resolve));
        return listener;
      };
      const rename: typeof disk.rename = (from, to) => {
        if (order.length > 0 && to.endsWith('weft.json')) order.push('writes');
        return disk.rename(from, to);
      };
      return { ...runtime, net: overridden(net, { listen }), disk: overridden(disk, { rename }) };
    },
  });
  await stage.world.run({ until: () => order.includes('stopped') });
  await stage.pass(5_000);
  // What is written is that it has stopped in order.
  t.deepEqual(order, ['listens', 'listens', 'writes', 'stopped', 'stopped']);
  t.is(stage.iodProcess.host.listeners.size, 0);
  t.is(stage.iodProcess.host.disk.locks.size, 0);
  t.like(stage.failures, [{ code: 'ECANCELED' }]);
});

test('a disk that hangs does not keep an iod from stopping', async (t) => {
  const { stage, client } = await servingStage();
  stage.iodProcess.host.disk.hang();
  client.start(dataOps.write, { handle: file, offset: 0 }, 'x').catch(() => undefined);
  await stage.pass(50);
  let isStopped = false;
  const stopping = stage.iodProcess.call(() => stage.stop?.());
  stopping.then(
    () => {
      isStopped = true;
    },
    () => undefined,
  );
  await stage.pass(limits.drainTimeoutMs + limits.heartbeatIntervalMs + 500);
  // The lock itself is a file on that disk; all else is done.
  t.is(stage.iodProcess.host.listeners.size, 0);
  stage.iodProcess.host.disk.mend();
  await stage.world.run({ until: () => isStopped });
});

test('the status tells what the iod is and has', async (t) => {
  const { stage, client } = await servingStage();
  await client.once(dataOps.write, { handle: file, offset: 0 }, 'x');
  const { answered } = await client.once(dataOps.iodStatus, {});
  const status = await client.once(dataOps.iodStatus, {});
  t.like(status, {
    index: 3,
    name: 'iod3',
    state: 'SERVING',
    incarnation: 1,
    openEntries: 1,
    objects: 1,
    descriptors: 1,
    quarantined: 0,
    refusedCaps: 0,
    protocolErrors: 0,
    connections: 1,
    openSequence: stage.mgr.sequence,
    answered: answered + 1,
    readBytes: 0,
    writtenBytes: 1,
  });
  t.true(status.totalBytes >= status.freeBytes && status.freeBytes > 0);
});

function acceptNobody(): never {
  throw new Error('nobody comes here');
}

/** One more iod on the host of the first. */
function startSecond(stage: Stage, config: { dataDirectory?: string; name?: string }) {
  const errors: { readonly weftCode?: string | undefined; readonly message: string }[] = [];
  const process = stage.world.process(`second ${stage.world.steps}`, {
    host: stage.iodProcess.host,
    main: async (runtime) => {
      const iod = makeIod({
        runtime,
        config: { ...stage.config, ...config, port: iodPort },
        onFatal: (error) => errors.push(error),
      });
      await iod.start().catch((error: unknown) => errors.push(error as Error));
    },
  });
  return { errors, process };
}
