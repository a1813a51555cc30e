import test from 'ava';
import { NameCache } from '../../client/name-cache.ts';
import { WholeListings } from '../../client/whole-listings.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';

const directory = 1 as Handle;
const time = { seconds: 1, nanoseconds: 0 };
const attr = (handle: Handle): Attr => ({
  handle,
  kind: handle === directory ? 'directory' : 'file',
  mode: 0,
  links: 1,
  uid: 0,
  gid: 0,
  layout: undefined,
  place: 'iods',
  size: 0,
  device: 0,
  sizeExact: true,
  holes: 0,
  accessed: time,
  modified: time,
  changed: time,
  born: time,
  right: true,
});

/** A directory that was listed from its beginning, with a right to it. */
function listed(count: number, done = true) {
  const cache = new NameCache();
  const listings = new WholeListings();
  const entries = Array.from({ length: count }, (_, i) => {
    const handle = (10 + i) as Handle;
    const name = byteString(`file-${i}`);
    return { name, handle, kind: 'file' as const, cookie: 1 + i, attr: attr(handle) };
  });
  const asked = cache.moment();
  const page = { directory: attr(directory), parent: directory, entries, done };
  cache.learnPage(asked, { ...page, after: 0, last: count });
  listings.keep(directory, asked, page);
  const names = () => listings.find(directory, cache)?.entries.map(({ name }) => name);
  return { cache, listings, names, page };
}

test('a directory that came whole is told again, until a name is changed or the right is gone', (t) => {
  const all = ['file-0', 'file-1'].map(byteString);
  const changed = listed(2);
  t.deepEqual(changed.names(), all);
  t.deepEqual(changed.names(), all);
  changed.cache.change(changed.cache.moment(), directory, [byteString('new'), 5 as Handle]);
  t.is(changed.names(), undefined);

  const recalled = listed(2);
  recalled.cache.recall(directory);
  recalled.cache.learn(recalled.cache.moment(), attr(directory));
  t.is(recalled.names(), undefined, 'a new right says nothing of what was listed before it');

  const lost = listed(2);
  lost.cache.clear();
  t.is(lost.names(), undefined);
});

test('a change of ours that was answered while the listing was on its way makes it old', (t) => {
  const { cache, listings, page } = listed(1);
  const asked = cache.moment();
  cache.change(cache.moment(), directory, [byteString('new'), 5 as Handle]);
  cache.learnPage(asked, { ...page, after: 0, last: 1 });
  listings.keep(directory, asked, page);
  t.is(listings.find(directory, cache), undefined);
});

test('the beginning of a longer one is not kept', (t) => {
  t.is(listed(3, false).names(), undefined);
});

test('no more entries are kept than names are cached', (t) => {
  const { cache, listings, page } = listed(2);
  for (let i = 0; i < limits.cachedNamesMax / 2; i++) {
    listings.keep((100 + i) as Handle, cache.moment(), page);
  }
  t.is(listings.find(directory, cache), undefined);
});
