import test from 'ava';
import { NameCache } from '../../client/name-cache.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import type { Attr, InodeKind } from '../../shared/wire/values.ts';

const directory = 1 as Handle;
const file = 2 as Handle;
const [a, b] = [byteString('a'), byteString('b')];
const time = { seconds: 1, nanoseconds: 0 };

function attr(handle: Handle, kind: InodeKind = 'file', changes: Partial<Attr> = {}): Attr {
  const times = { accessed: time, modified: time, changed: time, born: time };
  const sizes = { size: 0, device: 0, layout: undefined, sizeExact: true, holes: 0 };
  const place = 'iods' as const;
  return {
    handle,
    kind,
    mode: 0,
    links: 1,
    uid: 0,
    gid: 0,
    ...sizes,
    place,
    ...times,
    right: true,
    ...changes,
  };
}

/** With a right to a directory, of which nothing else is known. */
function stage() {
  const cache = new NameCache();
  cache.learn(cache.moment(), attr(directory, 'directory'));
  return cache;
}

function page(entries: readonly [name: typeof a, handle: Handle][], after: number, done: boolean) {
  return {
    directory: attr(directory, 'directory'),
    after,
    last: after + entries.length,
    entries: entries.map(([name, handle]) => ({ name, handle, attr: attr(handle) })),
    done,
  };
}

test('what comes without a right is not kept', (t) => {
  const cache = new NameCache();
  cache.learn(cache.moment(), attr(file, 'file', { right: false }));
  t.is(cache.attr(file), undefined);
  cache.learnName(cache.moment(), directory, a, file);
  t.is(cache.find(directory, a), undefined);
});

test('names are known that were asked for while there was a right, and that there are none', (t) => {
  const cache = stage();
  cache.learnName(cache.moment(), directory, a, file);
  cache.learnName(cache.moment(), directory, b, undefined);
  t.is(cache.find(directory, a), file);
  t.is(cache.find(directory, b), null);
  t.is(cache.find(directory, byteString('c')), undefined);
});

test('an answer that was asked for before a recall, or before the right came, counts for nothing', (t) => {
  const cache = new NameCache();
  const early = cache.moment();
  cache.learn(cache.moment(), attr(directory, 'directory'));
  cache.learnName(early, directory, a, file);
  t.is(cache.find(directory, a), undefined);
  const asked = cache.moment();
  cache.recall(file);
  cache.learn(asked, attr(file));
  t.is(cache.attr(file), undefined);
  cache.recall(directory);
  cache.learn(asked, attr(directory, 'directory'));
  cache.learnName(asked, directory, a, file);
  t.is(cache.attr(directory), undefined);
  t.is(cache.find(directory, a), undefined);
});

test('of a directory that was listed whole all is known, also over several pages', (t) => {
  const cache = stage();
  cache.learnPage(cache.moment(), page([[a, file]], 0, false));
  t.is(cache.find(directory, b), undefined);
  cache.learnPage(cache.moment(), page([[byteString('c'), 3 as Handle]], 1, true));
  t.is(cache.find(directory, b), null);
  t.is(cache.find(directory, a), file);
  t.like(cache.attr(file), { handle: file });
});

test('a listing in which something has changed does not tell what is not there', (t) => {
  for (const disturb of ['change', 'recall'] as const) {
    const cache = stage();
    cache.learnPage(cache.moment(), page([[a, file]], 0, false));
    const asked = cache.moment();
    if (disturb === 'change') cache.change(cache.moment(), directory, [b, file]);
    else cache.recall(directory);
    cache.learnPage(asked, page([], 1, true));
    t.is(cache.find(directory, byteString('c')), undefined, disturb);
  }
});

test('our own changes are known, and a directory that we have made is empty', (t) => {
  const cache = stage();
  const made = 9 as Handle;
  cache.learnNew(cache.moment(), attr(made, 'directory'));
  cache.change(cache.moment(), directory, [a, made]);
  t.is(cache.find(directory, a), made);
  t.is(cache.find(made, b), null);
  cache.change(cache.moment(), made, [b, file]);
  t.is(cache.find(made, b), file);
  cache.change(cache.moment(), made, [b, undefined]);
  t.is(cache.find(made, b), null);
  t.is(cache.attr(made), undefined, 'its times are others now');
});

test('a change of ours beside a recall leaves it open where the name leads', (t) => {
  const cache = stage();
  cache.learnPage(cache.moment(), page([[a, file]], 0, true));
  const asked = cache.moment();
  cache.recall(directory);
  cache.learn(cache.moment(), attr(directory, 'directory'));
  cache.change(asked, directory, [a, undefined]);
  t.is(cache.find(directory, a), undefined);
  t.is(cache.find(directory, b), undefined);
});

test('attributes asked for right behind our own change count, unless something else has happened', (t) => {
  for (const isAlone of [true, false]) {
    const cache = stage();
    const change = cache.moment();
    const asked = cache.moment();
    if (!isAlone) cache.recall(directory);
    cache.change(change, directory, [a, file]);
    cache.learnChanged(asked, attr(directory, 'directory'));
    t.is(cache.attr(directory) !== undefined, isAlone);
  }
});

test('what a change in doubt may change is not kept until all rights are new', (t) => {
  const cache = stage();
  cache.doubt(directory);
  cache.learn(cache.moment(), attr(directory, 'directory'));
  t.is(cache.attr(directory), undefined);
  cache.clear();
  cache.learn(cache.moment(), attr(directory, 'directory'));
  t.like(cache.attr(directory), { handle: directory });
});

test('when too much is in doubt nothing is kept', (t) => {
  const cache = stage();
  for (let i = 0; i <= limits.slotsPerSession; i++) cache.doubt((100 + i) as Handle);
  cache.learn(cache.moment(), attr(file));
  t.is(cache.attr(file), undefined);
  cache.touch(file);
  cache.clear();
  cache.learn(cache.moment(), attr(file));
  t.like(cache.attr(file), { handle: file });
});

test('it holds no more names and attributes than it may', (t) => {
  const cache = stage();
  for (let i = 0; i <= limits.rightsPerSessionMax; i++) {
    cache.learn(cache.moment(), attr((10 + i) as Handle));
  }
  t.is(cache.attr(10 as Handle), undefined);
  t.like(cache.attr(11 as Handle), { handle: 11 });
  cache.learn(cache.moment(), attr(directory, 'directory'));
  for (let i = 0; i <= limits.cachedNamesMax; i++) {
    cache.learnName(cache.moment(), directory, byteString(`${i}`), file);
  }
  t.is(cache.find(directory, byteString('0')), undefined);
  t.is(cache.find(directory, byteString(`${limits.cachedNamesMax}`)), file);
});
