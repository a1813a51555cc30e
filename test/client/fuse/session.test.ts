import test from 'ava';
import { handlers } from '../../../client/fuse/handlers.ts';
import { encode, type Field } from '../../../client/fuse/layout.ts';
import { NodeTable } from '../../../client/fuse/node-table.ts';
import { Continuations } from '../../../client/fuse/continuations.ts';
import {
  type FileAttr,
  operations,
  replyHeader,
  type RequestHeader,
  sessionOperations,
} from '../../../client/fuse/protocol.ts';
import { FuseSession } from '../../../client/fuse/session.ts';
import { type Handlers, noEntry, type Volume } from '../../../client/fuse/volume.ts';
import { FsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { type CallSignal, watchAbort } from '../../../shared/rpc/abort.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { requestBytes } from './requests.ts';

interface Reply {
  readonly unique: number;
  readonly error: number;
  readonly content: Buffer;
}

function stage(own: Partial<Handlers> = {}, isDying = () => false) {
  const replies: Reply[] = [];
  const flow: string[] = [];
  const forgotten: number[] = [];
  const nodes = new NodeTable();
  const runtime = makeNodeRuntime({ log: 'silent' });
  const { clock } = runtime;
  const session = new FuseSession({
    // No time passes: what must be asked at once is asked at once.
    runtime: { ...runtime, clock: { ...clock, now: () => 1000 } },
    // Of the volume the session itself uses no more.
    volume: {
      nodes,
      kernel: {
        agreed: () => undefined,
        pages: { agreed: () => undefined },
        forgotten: (handle: number) => forgotten.push(handle),
      },
    } as unknown as Volume,
    handlers: { ...handlers, ...own },
    isDying,
    callerName: (thread) => `thread ${thread}`,
    device: () => ({
      reply(segments) {
        const bytes = Buffer.concat(segments);
        const { unique, error, length } = replyHeader.read(bytes, 0);
        if (length !== bytes.length) throw new Error('a wrong length');
        replies.push({ unique, error, content: bytes.subarray(replyHeader.bytes) });
      },
      pause: () => flow.push('pause'),
      resume: () => flow.push('resume'),
    }),
  });
  return { session, replies, flow, nodes, forgotten };
}

function contentOf<T>(field: Field<T> | 'bytes', reply: Reply | undefined): T {
  if (field === 'bytes' || reply === undefined) throw new Error('no reply');
  return field.read(reply.content, 0);
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function init(major: number, minor: number, flags = 0xffff_ffff): Buffer {
  const body = encode(sessionOperations.init.request, { major, minor, readAhead: 4096, flags });
  return requestBytes(26, [body, Buffer.alloc(48, 0xff)]);
}

test('a new kernel is answered in our version, with what both can', (t) => {
  const { session, replies } = stage();
  void session.receive(init(7, 99));
  const agreed = contentOf(sessionOperations.init.reply, replies[0]);
  t.is(replies[0]?.error, 0);
  t.like(agreed, {
    major: 7,
    minor: 44,
    writeMax: 1024 * 1024,
    pagesMax: 256,
    timeGranularityNs: 1,
  });
  t.is(agreed.flags & (1 << 16), 0, 'nothing is written back later');
  t.is(agreed.flags & (1 << 1), 0, 'locks are the kernel’s');
  void session.receive(init(7, 31, 1));
  t.like(contentOf(sessionOperations.init.reply, replies[1]), { minor: 31, flags: 1 });
  void session.receive(init(8, 0));
  t.like(contentOf(sessionOperations.init.reply, replies[2]), { major: 7 });
});

test('a kernel that is too old is refused', (t) => {
  const { session } = stage();
  t.throws(() => void session.receive(init(7, 30)), {
    instanceOf: ProtocolError,
    message: /7\.30/,
  });
});

test('what we do not know is answered with ENOSYS, a failure with its errno, a mistake with EIO', async (t) => {
  const { session, replies } = stage({
    unlink: () => Promise.reject(new FsError('ENOENT')),
    removeDirectory: () => Promise.reject(new FsError('EPROTO')),
    readLink: () => Promise.reject(new Error('ours')),
    getAttr: () => Promise.reject(new FsError('ETIMEDOUT')),
  });
  void session.receive(requestBytes(4097, [], { unique: 1 }));
  void session.receive(requestBytes(10, [Buffer.from('a\0')], { unique: 2 }));
  void session.receive(requestBytes(11, [Buffer.from('a\0')], { unique: 3 }));
  void session.receive(requestBytes(5, [], { unique: 4 }));
  void session.receive(requestBytes(3, [Buffer.alloc(16)], { unique: 5 }));
  void session.receive(requestBytes(3, [Buffer.alloc(3)], { unique: 6 }));
  await settled();
  const errors = new Map(replies.map(({ unique, error }) => [unique, error]));
  t.deepEqual(
    [1, 2, 3, 4, 5, 6].map((one) => errors.get(one)),
    [-38, -2, -5, -5, -110, -5],
  );
  t.is(session.inFlight, 0);
});

test('what is forgotten is counted exactly, alone and in batches', (t) => {
  const { session, nodes, replies, forgotten } = stage();
  const attr = { handle: 5, mode: 0o644 } as Parameters<NodeTable['refer']>[0];
  for (let i = 0; i < 3; i++) nodes.refer(attr);
  void session.receive(
    requestBytes(2, [encode(sessionOperations.forget.request, { lookups: 1 })], { node: 5 }),
  );
  t.is(nodes.lookupsOf(5), 2);
  t.deepEqual(forgotten, []);
  const batch = Buffer.alloc(32);
  batch.writeUInt32LE(5, 0);
  batch.writeUInt32LE(2, 8);
  batch.writeUInt32LE(1, 16);
  batch.writeUInt32LE(9, 24);
  void session.receive(
    requestBytes(42, [encode(sessionOperations.batchForget.request, { count: 2 }), batch]),
  );
  t.is(nodes.size, 0);
  t.deepEqual(forgotten, [5], 'the kernel keeps nothing of it');
  t.deepEqual(replies, [], 'nobody waits for an answer');
});

test('a signal interrupts a request only when it kills its caller', async (t) => {
  let dying = false;
  const { session, replies } = stage(
    {
      readLink: (_, __, { signal }) =>
        new Promise((_resolve, reject) => {
          if (signal) watchAbort(signal, () => reject(new FsError('ECANCELED')));
        }),
    },
    () => dying,
  );
  const interrupt = encode(sessionOperations.interrupt.request, { unique: 8 });
  void session.receive(requestBytes(5, [], { unique: 8 }));
  void session.receive(requestBytes(36, [interrupt], { unique: 9 }));
  await settled();
  t.deepEqual(replies, []);
  dying = true;
  void session.receive(requestBytes(36, [interrupt], { unique: 11 }));
  await settled();
  t.deepEqual(
    replies.map(({ unique, error }) => ({ unique, error })),
    [{ unique: 8, error: -4 }],
  );
});

test('no more requests are taken than may be in flight', async (t) => {
  const waiting: (() => void)[] = [];
  const { session, flow, replies } = stage({
    statFs: () => new Promise((_, reject) => waiting.push(() => reject(new FsError('EIO')))),
  });
  for (let i = 0; i < limits.fuseInFlightMax; i++) {
    void session.receive(requestBytes(operations.statFs.code, [], { unique: i + 1 }));
  }
  t.deepEqual(flow, ['pause']);
  for (const end of waiting) end();
  await settled();
  t.deepEqual(flow, ['pause', 'resume']);
  t.is(replies.length, limits.fuseInFlightMax);
});

function write(unique: number, size: number): Buffer {
  const body = { file: 1, offset: 0, size, writeFlags: 0, flags: 0 };
  const head = encode(operations.write.request, body);
  return requestBytes(operations.write.code, [head, Buffer.alloc(size, unique)], { unique });
}

test('the bytes of a small request are free at once, those of a large one when it is answered', async (t) => {
  const seen: string[] = [];
  const { session, replies } = stage({
    write: async (_, { tail, body }) => {
      await settled();
      seen.push(`${body.size} ${tail[0]}`);
      return { size: body.size };
    },
    unlink: () => Promise.resolve({}),
  });
  const small = write(2, 100);
  t.is(session.receive(small), undefined);
  small.fill(0);
  const name = Buffer.from(`${'a'.repeat(200_000)}\0`);
  t.is(session.receive(requestBytes(10, [name], { unique: 3 })), undefined, 'a name is taken out');
  const large = write(4, 200_000);
  await session.receive(large);
  large.fill(0);
  t.deepEqual(seen, ['100 2', '200000 4']);
  t.deepEqual(
    replies.map(({ unique }) => unique),
    [3, 2, 4],
  );
});

test('what a handler keeps is used after the answer too, until it lets it go', async (t) => {
  let letGo: (() => void) | undefined;
  const { session, replies } = stage({
    write: (_, { body }, control) => {
      letGo = control.keep();
      return Promise.resolve({ size: body.size });
    },
  });
  let isFree = false;
  void session.receive(write(2, 200_000))?.then(() => {
    isFree = true;
  });
  await settled();
  t.is(replies.length, 1);
  t.false(isFree);
  letGo?.();
  await settled();
  t.true(isFree);
});

test('what a lookup has brought answers the next request of its thread, and no other', async (t) => {
  const attr = { ino: 5, size: 9 } as FileAttr;
  let asked = 0;
  const { session, replies } = stage({
    lookup: () => Promise.resolve({ ...noEntry, node: 5, attr }),
    getAttr: () => {
      asked++;
      return Promise.resolve({ ...noEntry, attr: { ...attr, size: 10 } });
    },
  });
  const ask = async (opcode: number, pid: number, node: number, flags = 0): Promise<number> => {
    const content = opcode === operations.lookup.code ? Buffer.from('a\0') : Buffer.alloc(16, 0);
    if (opcode === operations.getAttr.code) content.writeUInt32LE(flags);
    void session.receive(requestBytes(opcode, [content], { pid, node }));
    await settled();
    const { getAttr } = operations;
    return opcode === getAttr.code ? contentOf(getAttr.reply, replies.at(-1)).attr.size : 0;
  };
  const { lookup, getAttr } = operations;
  await ask(lookup.code, 7, 1);
  t.is(await ask(getAttr.code, 8, 5), 10, 'another thread');
  t.is(await ask(getAttr.code, 7, 5), 9);
  t.is(await ask(getAttr.code, 7, 5), 10, 'only once');
  await ask(lookup.code, 7, 1);
  await ask(getAttr.code, 7, 1);
  t.is(await ask(getAttr.code, 7, 5), 10, 'something else came in between');
  await ask(lookup.code, 7, 1);
  t.is(await ask(getAttr.code, 7, 5, 1), 10, 'for one who is about to read');
  t.is(asked, 5);
});

test('what is at hand is answered in the same call, else when it has come', async (t) => {
  let isKnown = true;
  const { session, replies } = stage({
    lookup: (_, { tail }) => {
      if (tail === 'wrong') throw new FsError('EIO');
      return isKnown ? { ...noEntry, node: 5 } : Promise.resolve({ ...noEntry, node: 6 });
    },
  });
  const ask = (name: string): void => {
    void session.receive(requestBytes(operations.lookup.code, [Buffer.from(`${name}\0`)]));
  };
  const latest = () => contentOf(operations.lookup.reply, replies.at(-1)).node;
  ask('a');
  t.deepEqual([latest(), session.inFlight], [5, 0]);
  ask('wrong');
  t.is(replies.at(-1)?.error, -5);
  isKnown = false;
  ask('a');
  t.deepEqual([replies.length, session.inFlight], [2, 1]);
  await settled();
  t.deepEqual([latest(), replies.length, session.inFlight], [6, 3, 0]);
});

test('what was told a while ago is asked for again', (t) => {
  const known = new Continuations();
  const header = { pid: 7, node: 5 } as RequestHeader;
  const attr = {} as FileAttr;
  known.told(header, { node: 5, attr }, 1000);
  t.is(known.next(header, 1000 + limits.fuseContinuationMs), attr);
  known.told(header, { node: 5, attr }, 1000);
  t.is(known.next(header, 1001 + limits.fuseContinuationMs), undefined);
});

test('what the kernel waits for is told: what, of which node, who asks, and since when', async (t) => {
  let answer: (() => void) | undefined;
  let signal: CallSignal | undefined;
  const { session } = stage({
    lookup: (_, __, control) => {
      ({ signal } = control);
      return new Promise((resolve) => (answer = () => resolve(noEntry)));
    },
  });
  const options = { unique: 6, node: 9, pid: process.pid };
  void session.receive(requestBytes(operations.lookup.code, [Buffer.from('caf\u{e9}\0')], options));
  const [waiting, ...others] = [...session.waits()];
  t.deepEqual(others, []);
  t.like(waiting, { kind: 'kernel', why: 'lookup "caf\u{e9}"', handles: [9], kernel: 6, forMs: 0 });
  t.is(waiting?.peer, `thread ${process.pid}`);
  t.is(waiting?.signal, signal, 'the calls that are made for it are known by it');
  answer?.();
  await settled();
  t.deepEqual([...session.waits()], []);
});
