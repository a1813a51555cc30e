/** Small files that are open for reading without the mgr's knowledge, and when it hears of them. */
import test from 'ava';
import type { File } from '../../client/file.ts';
import type { MgrSession } from '../../client/mgr-session.ts';
import { OpensUnderRight } from '../../client/opens-under-right.ts';
import type { FileSource } from '../../client/open-grant.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { Op, RequestOf } from '../../shared/wire/op.ts';
import { type Attr, type Cap, rights } from '../../shared/wire/values.ts';
import { sessionLost } from './lending-mgr.ts';
import { isOver, PassingTime, soon } from './passing-time.ts';

const [one, two] = [7 as Handle, 8 as Handle];
const layout = { base: 0, pcount: 1, ssize: 4096, total: 1 };
const deadlineMs = 60_000;

interface Opening {
  readonly request: RequestOf<typeof fileOps.open>;
  readonly deadline: number;
  readonly resolve: (reply: object) => void;
  readonly reject: (error: FsError) => void;
}

function attrOf(handle: Handle, also: Partial<Attr> = {}): Attr {
  return { handle, kind: 'file', place: 'mgr', size: 5, links: 1, right: true, ...also } as Attr;
}

/** A mount that has a right to two small files; the mgr answers when it is told to. */
function stage({ uid = 0 } = {}) {
  const time = new PassingTime(1000);
  const known = new Map([one, two].map((handle) => [handle, attrOf(handle)]));
  const opening: Opening[] = [];
  const others: string[] = [];
  const lost: (() => void)[] = [];
  let opened = 0;
  const session = {
    runtime: { clock: time.clock, killPoint: () => undefined },
    session: { uid },
    onLost: (listener: () => void) => void lost.push(listener),
    givesBack: () => undefined,
    call: (op: Op, request: never, { deadline }: { readonly deadline: number }) => {
      if (op.code !== fileOps.open.code) {
        others.push(op.code === fileOps.close.code ? 'close' : 'readSmall');
        return Promise.resolve({ bytes: Buffer.from('hello') });
      }
      return new Promise((resolve, reject) => {
        opening.push({ request, deadline, resolve, reject });
      });
    },
  } as unknown as MgrSession;
  const source = { session, iods: {}, deadlineMs } as unknown as FileSource;
  const opens = new OpensUnderRight({ ...source, attr: (handle) => known.get(handle) });
  const closed: File[] = [];
  const open = (handle: Handle): File => {
    const file = opens.open(handle);
    if (file === undefined) throw new Error(`${handle} is for the mgr to open`);
    file.onClosed(() => void closed.push(file));
    return file;
  };
  const answer = async (...refused: readonly FsError[]): Promise<void> => {
    for (const { request, resolve, reject } of opening.splice(0)) {
      const { directory: handle } = request.at;
      const body = { handle, sequence: ++opened } as Cap['body'];
      const [error] = refused;
      if (error === undefined) resolve({ cap: { body }, layout });
      else reject(error);
    }
    await soon();
  };
  return {
    time,
    known,
    opening,
    others,
    opens,
    open,
    closed,
    answer,
    lose: async (): Promise<void> => {
      for (const { reject } of opening.splice(0)) reject(sessionLost);
      for (const listener of lost) listener();
      await soon();
    },
    pass: async (ms: number): Promise<void> => {
      time.pass(ms);
      await soon();
    },
  };
}

function read(file: File, control = {}): Promise<string> {
  const into = Buffer.alloc(10);
  return file.read(into, 0, control).then((count) => into.toString('latin1', 0, count));
}

test('a small file is opened for reading without a word, and closed so', async (t) => {
  const { opens, open, opening, others, closed, time } = stage();
  const file = open(one);
  t.is(file.handle, one);
  t.is(file.held, undefined, 'a mgr that has lost its host has nothing to hear of it');
  t.true(opens.close(file));
  t.truthy(file.closing);
  await file.closing;
  t.deepEqual(closed, [file]);
  t.false(opens.close(file), 'once');
  time.pass(2 * limits.openUnderRightMs);
  await soon();
  t.deepEqual([opening, others], [[], []]);
  t.is(opens.owed(), undefined);
});

const notFor: Record<string, Partial<Attr>> = {
  'a directory': { kind: 'directory', place: 'iods' },
  'a symbolic link': { kind: 'symlink' },
  'one whose bytes are at the iods': { place: 'iods' },
  'one that is on its way there': { place: 'moving' },
  'one that has no name any more': { links: 0 },
};

for (const [what, attr] of Object.entries(notFor)) {
  test(`the mgr is to open ${what}`, (t) => {
    const { opens, known } = stage();
    known.set(one, attrOf(one, attr));
    t.is(opens.open(one), undefined);
  });
}

test('the mgr is to open what there is no right to, and whatever is not for root', (t) => {
  const { opens, known } = stage();
  known.clear();
  t.is(opens.open(one), undefined);
  t.is(stage({ uid: 5 }).opens.open(one), undefined);
});

test('an empty file is opened as others are', (t) => {
  const { known, open } = stage();
  known.set(one, attrOf(one, { size: 0 }));
  t.truthy(open(one));
});

test('when the right is taken back the mgr hears first who reads it, and of nothing else', async (t) => {
  const { opens, open, opening, answer, known, others } = stage();
  const files = [open(one), open(one)];
  const other = open(two);
  known.delete(one);
  const recalled = opens.recalled([one, 99 as Handle]);
  t.deepEqual(
    opening.map(({ request: { at, flags } }) => [at.directory, at.path, flags]),
    files.map(() => [one, '', openFlags.read]),
    'each by itself, for each is closed by itself',
  );
  t.true(opening.every(({ deadline }) => deadline === Infinity));
  t.false(await isOver(recalled));
  await answer();
  t.true(await isOver(recalled));
  const sequences = files.map(({ held }) => held?.cap.body.sequence);
  t.deepEqual(sequences, [1, 2]);
  t.is(files[0]?.held?.rights, rights.read);
  t.deepEqual(files[0]?.layout, layout);
  t.is(other.held, undefined);
  t.true(await isOver(opens.recalled([one])), 'it knows');
  t.false(opens.close(files[0] as File), 'to be closed at the mgr');
  t.true(opens.close(other));
  await files[0]?.close();
  t.deepEqual(others, ['close']);
});

test('a recall of several waits for all of them', async (t) => {
  const { opens, open, opening, answer } = stage();
  open(one);
  open(two);
  const recalled = opens.recalled([one, two]);
  opening.shift()?.resolve({ cap: {}, layout });
  t.false(await isOver(recalled));
  await answer();
  t.true(await isOver(recalled));
  t.is(opens.owed(), undefined);
});

test('a recall while it is being opened asks once, and both wait', async (t) => {
  const { opens, open, opening, answer } = stage();
  open(one);
  const known = opens.known(one) ?? Promise.resolve();
  const recalled = opens.recalled([one]);
  t.is(opening.length, 1);
  t.false(await isOver(known));
  await answer();
  t.true(await isOver(known));
  t.true(await isOver(recalled));
  t.is(opens.known(one), undefined);
});

test('closed while the mgr is opening it, it is closed there behind that', async (t) => {
  const { opens, open, answer, others, closed } = stage();
  const file = open(one);
  void opens.known(one);
  t.false(opens.close(file));
  const closing = file.close();
  t.deepEqual(others, []);
  await answer();
  await closing;
  t.deepEqual(others, ['close']);
  t.deepEqual(closed, [file]);
});

test('whoever uses it otherwise has it opened at the mgr', async (t) => {
  const { open, opening, answer, others } = stage();
  const file = open(one);
  const [first, second] = [read(file), read(file)];
  await soon();
  t.is(opening.length, 1);
  t.deepEqual(others, []);
  await answer();
  t.deepEqual(await Promise.all([first, second]), ['hello', 'hello']);
  t.is(await read(file), 'hello');
  t.is(opening.length, 0);
});

test('who is killed while that goes on waits no longer, nor longer than his call may take', async (t) => {
  const { open, answer, pass, others } = stage();
  const file = open(one);
  const abort = new AbortController();
  const killed = t.throwsAsync(read(file, { signal: abort.signal }), { code: 'ECANCELED' });
  const late = t.throwsAsync(read(file, { deadlineMs: 10 }), { code: 'ETIMEDOUT' });
  const patient = read(file);
  abort.abort();
  await killed;
  await pass(10);
  await late;
  t.false(await isOver(patient));
  await answer();
  t.is(await patient, 'hello');
  t.deepEqual(others, ['readSmall']);
});

test('what stays open is told a moment later, each in its time', async (t) => {
  const { open, opening, pass, answer, time } = stage();
  const first = open(one);
  await pass(limits.openUnderRightMs - 100);
  const second = open(two);
  await pass(99);
  t.is(opening.length, 0);
  await pass(1);
  t.deepEqual(
    opening.map(({ request }) => request.at.directory),
    [one],
  );
  await answer();
  t.truthy(first.held);
  await pass(limits.openUnderRightMs - 101);
  t.is(opening.length, 0);
  await pass(1);
  await answer();
  t.truthy(second.held);
  t.is(time.timerCount, 0);
});

test('a refusal of the mgr is heard by who reads, and keeps nobody waiting', async (t) => {
  const { opens, open, answer, others, closed } = stage();
  const file = open(one);
  const reading = read(file);
  const recalled = opens.recalled([one]);
  await answer(new FsError('EMFILE'));
  await t.throwsAsync(reading, { code: 'EMFILE' });
  await recalled;
  await t.throwsAsync(read(file), { code: 'EMFILE' });
  t.is(file.held, undefined);
  t.is(opens.owed(), undefined);
  t.false(opens.close(file));
  await file.close();
  t.deepEqual(closed, [file]);
  t.deepEqual(others, [], 'there is nothing to give back');
});

test('without its connection all of it is owed, and told on the next', async (t) => {
  const { opens, open, opening, answer } = stage();
  const files = [open(one), open(two)];
  const recalled = opens.recalled('all');
  t.true(await isOver(recalled), 'nobody can be told before there is one');
  t.is(opening.length, 2);
  const owed = opens.owed() ?? Promise.resolve();
  t.false(await isOver(owed));
  await answer();
  t.true(await isOver(owed));
  t.true(files.every(({ held }) => held !== undefined));
  t.is(opens.owed(), undefined);
});

test('what was opened in a session that is lost is nothing to the next one', async (t) => {
  const { opens, open, opening, answer, lose, pass } = stage();
  const old = open(one);
  const waiting = open(two);
  const known = opens.known(two) ?? Promise.resolve();
  await lose();
  t.true(await isOver(known));
  t.is(opens.owed(), undefined);
  await t.throwsAsync(read(waiting), { code: 'ESTALE' });
  t.false(opens.close(old));
  const file = open(one);
  await pass(limits.openUnderRightMs);
  t.is(opening.length, 1, 'of the new one');
  await answer();
  t.truthy(file.held);
});

test('before a name is taken away the mgr knows who has it open', async (t) => {
  const { opens, open, opening, answer } = stage();
  const [file, other] = [open(one), open(two)];
  const steps: string[] = [];
  const leaving = opens.leaving(one, {}, () => {
    steps.push(file.held ? 'known' : 'unknown');
    return Promise.resolve(5);
  });
  t.is(opening.length, 1);
  t.false(await isOver(leaving));
  t.deepEqual(steps, []);
  await answer();
  t.is(await leaving, 5);
  t.deepEqual(steps, ['known']);
  t.is(other.held, undefined);
});

test('of what nobody has open a name is taken away at once', (t) => {
  const { opens, opening } = stage();
  let isRunning = false;
  const run = (): Promise<void> => {
    isRunning = true;
    return Promise.resolve();
  };
  void opens.leaving(one, {}, run);
  t.true(isRunning, 'in the packet of what was asked before');
  isRunning = false;
  void opens.leaving(undefined, {}, run);
  t.true(isRunning);
  t.is(opening.length, 0);
});

test('when nobody knows what has the name the mgr hears of all that is open', async (t) => {
  const { opens, open, opening, answer } = stage();
  const files = [open(one), open(two)];
  const leaving = opens.leaving(undefined, {}, () => Promise.resolve());
  t.is(opening.length, 2);
  t.false(await isOver(leaving));
  await answer();
  await leaving;
  t.true(files.every(({ held }) => held !== undefined));
});

test('while a name is taken away nothing is opened that may lose it', async (t) => {
  const { opens } = stage();
  const ends: (() => void)[] = [];
  const run = () => new Promise<void>((resolve) => void ends.push(resolve));
  const end = async (): Promise<void> => {
    ends.shift()?.();
    await soon();
  };
  const isOpened = (handle: Handle): boolean => {
    const file = opens.open(handle);
    return file !== undefined && opens.close(file);
  };
  const first = opens.leaving(one, {}, run);
  const second = opens.leaving(one, {}, run);
  t.false(isOpened(one));
  t.true(isOpened(two));
  await end();
  t.false(isOpened(one), 'by another name');
  await end();
  t.true(isOpened(one));
  const third = opens.leaving(undefined, {}, run);
  t.false(isOpened(one));
  t.false(isOpened(two));
  await end();
  t.true(isOpened(two));
  await Promise.all([first, second, third]);
  const failing = opens.leaving(one, {}, () => Promise.reject(new FsError('EIO')));
  await t.throwsAsync(failing, { code: 'EIO' });
  t.true(isOpened(one));
});

test('who takes a name away waits no longer than his call may take, and takes nothing then', async (t) => {
  const { opens, open, answer, pass } = stage();
  open(one);
  const steps: string[] = [];
  const run = (): Promise<void> => Promise.resolve(void steps.push('gone'));
  const abort = new AbortController();
  const killed = opens.leaving(one, { signal: abort.signal }, run);
  const late = opens.leaving(undefined, { deadlineMs: 10 }, run);
  abort.abort();
  await t.throwsAsync(killed, { code: 'ECANCELED' });
  t.is(opens.open(two), undefined, 'the other waits yet');
  const isLate = t.throwsAsync(late, { code: 'ETIMEDOUT' });
  await pass(10);
  await isLate;
  await answer();
  t.deepEqual(steps, []);
  t.truthy(open(two));
});

test('a file that is closed is opened no more', async (t) => {
  const { opens, open, opening } = stage();
  const file = open(one);
  t.true(opens.close(file));
  await t.throwsAsync(read(file), { code: 'EBADF' });
  await file.close();
  t.is(opening.length, 0);
});
