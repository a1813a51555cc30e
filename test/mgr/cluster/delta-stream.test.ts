import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import type { Handle, SessionId } from '../../../shared/units.ts';
import type { iodOps } from '../../../shared/wire/iod-ops.ts';
import type { RequestOf } from '../../../shared/wire/op.ts';
import type { OpenEntry } from '../../../shared/wire/values.ts';
import { DeltaStream } from '../../../mgr/cluster/delta-stream.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

type Message = RequestOf<typeof iodOps.applyOpens>;

/** A stream to an iod whose answers the test gives. */
class SlowIod {
  readonly messages: Message[] = [];
  readonly broken: FsError[] = [];
  readonly stream: DeltaStream;
  readonly #answers: { resolve(upTo: number): void; reject(error: FsError): void }[] = [];

  constructor(cut: number) {
    const call = (_: unknown, message: Message): Promise<{ upTo: number }> => {
      this.messages.push(message);
      return new Promise((resolve, reject) => {
        this.#answers.push({ resolve: (upTo) => resolve({ upTo }), reject });
      });
    };
    const connection = { clock: { now: () => 0 }, call } as unknown as Connection;
    this.stream = new DeltaStream(connection, cut, (error) => this.broken.push(error));
  }

  async acknowledge(upTo = this.messages.at(-this.#answers.length)?.upTo): Promise<void> {
    this.#answers.shift()?.resolve(upTo ?? 0);
    await Promise.resolve();
  }

  async fail(error: FsError): Promise<void> {
    this.#answers.shift()?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function change(sequence: number): OpenEntry {
  return { handle: sequence as Handle, session: 1 as SessionId, rights: 1, sequence };
}

/** In which iods have heard of a change. */
const heardMs = limits.openChangesDelayMs + 100;

test('changes of a tick go in one message, each message follows the one before', (t) => {
  const { stream, messages } = new SlowIod(10);
  stream.push(change(9));
  stream.push(change(12));
  stream.push(change(15));
  t.deepEqual(messages, [], 'nothing goes before the end of the tick');
  stream.flush();
  stream.flush();
  stream.push(change(16));
  stream.flush();
  t.deepEqual(
    messages.map(({ after, upTo, entries }) => [after, upTo, entries.length]),
    [
      [10, 15, 2],
      [15, 16, 1],
    ],
  );
  t.is(stream.last, 16);
});

test('of changes of one session to one file the last is told, in the order of their numbers', (t) => {
  const { stream, messages } = new SlowIod(0);
  const opened = { ...change(1), handle: 7 as Handle };
  stream.push(opened);
  stream.push(change(2));
  stream.push({ ...opened, rights: 0, sequence: 3 });
  stream.push({ ...opened, session: 2 as SessionId, sequence: 4 });
  stream.flush();
  t.deepEqual(
    messages.map(({ after, upTo, entries }) => [
      after,
      upTo,
      entries.map(({ sequence, rights }) => [sequence, rights]),
    ]),
    [
      [
        0,
        4,
        [
          [2, 1],
          [3, 0],
          [4, 1],
        ],
      ],
    ],
  );
});

test('an iod that does not answer gets no more than its window, and later the rest in order', async (t) => {
  const iod = new SlowIod(0);
  const window = limits.openMessagesInFlightPerIod;
  for (let sequence = 1; sequence <= 3 * window; sequence++) {
    iod.stream.push(change(sequence));
    iod.stream.flush();
  }
  t.is(iod.messages.length, window);
  for (let count = 0; count < window; count++) await iod.acknowledge();
  const sequences = iod.messages.flatMap(({ entries }) => entries).map(({ sequence }) => sequence);
  t.deepEqual(
    sequences,
    Array.from({ length: 3 * window }, (_, at) => at + 1),
  );
  for (const [at, { after }] of iod.messages.entries()) {
    t.is(after, iod.messages[at - 1]?.upTo ?? 0);
  }
});

test('a message is never longer than it may be', (t) => {
  const { stream, messages } = new SlowIod(0);
  for (let sequence = 1; sequence <= 2500; sequence++) stream.push(change(sequence));
  stream.flush();
  t.deepEqual(
    messages.map(({ entries }) => entries.length),
    [1024, 1024, 452],
  );
});

test('more changes than may wait break the stream, and take no more memory', async (t) => {
  const iod = new SlowIod(0);
  const inFlight = limits.openMessagesInFlightPerIod * limits.opensPerSnapshotChunk;
  let sequence = 0;
  while (sequence < inFlight + limits.openChangesQueuedPerIod) iod.stream.push(change(++sequence));
  iod.stream.flush();
  t.deepEqual(iod.broken, []);
  iod.stream.push(change(++sequence));
  iod.stream.flush();
  t.is(iod.broken[0]?.weftCode, 'WEFT_E_BUSY');
  await iod.acknowledge();
  t.is(iod.messages.length, limits.openMessagesInFlightPerIod, 'nothing was kept');
});

test('a failed message, or one taken for another, breaks the stream (SCENARIOS 153)', async (t) => {
  const failing = new SlowIod(0);
  failing.stream.push(change(1));
  failing.stream.flush();
  await failing.fail(new FsError('EIO'));
  t.is(failing.broken[0]?.code, 'EIO');
  const wrong = new SlowIod(0);
  wrong.stream.push(change(7));
  wrong.stream.flush();
  await wrong.acknowledge(6);
  t.is(wrong.broken[0]?.code, 'EPROTO');
});

test('iods hear of opens of their own files, behind the commit, many at once', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.commit(({ view, openTable }) => {
    for (const inode of [fileOn(10), fileOn(11), fileOn(12, { base: 1, pcount: 1 })]) {
      view.putInode(inode);
      openTable.open(inode, 1 as SessionId, 1, 7);
    }
  });
  await cluster.pass(heardMs);
  t.is(cluster.iod(0).heardOf('applyOpens').length, 1);
  t.deepEqual(cluster.iod(0).opens(), cluster.opensOf(0));
  t.deepEqual(cluster.iod(1).opens(), cluster.opensOf(1));
  t.is(cluster.iod(0).opens().length, 2);
  t.is(cluster.iod(1).opens().length, 3);
  await cluster.closeOpen(10, 1, 1);
  await cluster.pass(heardMs);
  t.is(cluster.iod(0).rights(10, 1), 0);
});

test('an open whose commit failed is told to nobody', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.commitError = new FsError('ENOSPC');
  await t.throwsAsync(cluster.open(fileOn(10), 1, 1), { code: 'ENOSPC' });
  cluster.commitError = undefined;
  await cluster.open(fileOn(11), 1, 1);
  await cluster.pass(heardMs);
  t.deepEqual(
    cluster
      .iod(0)
      .opens()
      .map(({ handle }) => handle as number),
    [11],
  );
});

test('an iod that fails to apply a change syncs again, and then knows all', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  iod.failures.set('applyOpens', new FsError('EIO'));
  await cluster.open(fileOn(10), 1, 1);
  await cluster.until(() => cluster.stateOf(0) === 'absent');
  iod.failures.clear();
  await cluster.serving();
  t.deepEqual(iod.opens(), cluster.opensOf(0));
  t.is(iod.opens().length, 1);
});

test('opens do not wait for an iod that hangs', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).silent.add('applyOpens');
  const begun = cluster.world.nowMs;
  for (let handle = 10; handle < 40; handle++) await cluster.open(fileOn(handle), 1, 1);
  t.true(cluster.world.nowMs - begun < 100);
  t.is(cluster.iod(0).heardOf('applyOpens').length <= limits.openMessagesInFlightPerIod, true);
  await cluster.pass(heardMs);
  t.is(cluster.iod(1).opens().length, 30, 'and nobody else is kept from hearing');
});
