/**
 * Speed of the message codec: encode+decode pairs a second of four typical messages, in one
 * process, so that the codec's code is as polymorphic as in a daemon.
 * `node --import=tsx bench/codec.ts`
 */
import { type Codec, Reader, type ValueOf, Writer } from '../shared/wire/codec.ts';
import { controlOps, dataOps } from '../shared/wire/iod-ops.ts';
import { fileOps, nameOps, openFlags } from '../shared/wire/mgr-ops.ts';
import { type Attr, rights } from '../shared/wire/values.ts';
import { byteString, type Handle, type SessionId } from '../shared/units.ts';

interface Subject {
  readonly name: string;
  /** One pair of encode and decode. */
  run(): void;
}

const writer = new Writer();

function subject<T>(name: string, codec: Codec<T>, value: T): Subject {
  const run = (): void => {
    writer.reset();
    codec.write(writer, value);
    const reader = new Reader(writer.bytesView());
    codec.read(reader);
    reader.end();
  };
  return { name, run };
}

const handle = (2 ** 40) as Handle;
const session = 77 as SessionId;
const time = { seconds: 1_750_000_000, nanoseconds: 123_456_789 };
const layout = { base: 3, pcount: 4, ssize: 262_144, total: 16 };

const attr: Attr = {
  handle,
  kind: 'file',
  mode: 0o644,
  links: 1,
  uid: 1000,
  gid: 1000,
  device: 0,
  size: 2 ** 33,
  accessed: time,
  modified: time,
  changed: time,
  born: time,
  layout,
  place: 'iods',
  sizeExact: true,
  holes: 0,
  right: false,
};

const openReply: ValueOf<typeof fileOps.open.reply> = {
  attr,
  cap: {
    body: { session, handle, rights: rights.read | rights.write, generation: 9, sequence: 12_345 },
    signature: Buffer.alloc(32, 7),
  },
  layout,
  created: false,
  roomAtMgr: 0,
  lent: false,
};

const opens = Array.from({ length: 128 }, (_, at) => ({
  handle: (2 ** 40 + at) as Handle,
  session,
  rights: rights.read,
  sequence: at,
}));

const dirents = Array.from({ length: 256 }, (_, at) => ({
  name: byteString(`a-file-of-usual-name-${at}.txt`),
  handle: (2 ** 40 + at) as Handle,
  kind: 'file' as const,
  cookie: at + 1,
  attr,
}));

const subjects: readonly Subject[] = [
  subject('read request', dataOps.read.request, { handle, offset: 2 ** 33, length: 262_144 }),
  subject('open request', fileOps.open.request, {
    at: { directory: handle, path: byteString('results/2024/run-17.dat') },
    flags: openFlags.read | openFlags.write | openFlags.create,
    mode: 0o644,
    layout: { base: undefined, pcount: 4, ssize: undefined },
    maker: undefined,
    handle: undefined,
    near: undefined,
  }),
  subject('open reply', fileOps.open.reply, openReply),
  subject('applyOpens of 128', controlOps.applyOpens.request, {
    after: 1,
    upTo: 129,
    entries: opens,
  }),
  subject('readDirectory page of 256 with attributes', nameOps.readDirectory.reply, {
    directory: attr,
    parent: handle,
    entries: dirents,
    done: false,
  }),
];

/** @returns runs a second: the best of some rounds, so that other load on the machine counts less */
function measure(subject: Subject): number {
  const roundMs = 200;
  let best = 0;
  for (let round = 0; round < 8; round++) {
    const begin = performance.now();
    let runs = 0;
    let elapsedMs = 0;
    while (elapsedMs < roundMs) {
      for (let i = 0; i < 16; i++) subject.run();
      runs += 16;
      elapsedMs = performance.now() - begin;
    }
    best = Math.max(best, (runs / elapsedMs) * 1000);
  }
  return best;
}

// Once through all of them before the first is measured: only then the code has seen every shape.
for (const each of subjects) measure(each);
for (const each of subjects) {
  console.log(
    `${each.name.padEnd(44)}${Math.round(measure(each)).toLocaleString('en').padStart(12)}/s`,
  );
}
