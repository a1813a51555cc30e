import test from 'ava';
import { RecentMap } from '../../../mgr/store/recent-map.ts';

const unchanged = { changed: false };

test('remembers at least half of its bound and at most all of it', (t) => {
  const map = new RecentMap<number, { changed: boolean }>(100);
  for (let key = 0; key < 1000; key++) map.set(key, unchanged);
  const kept = Array.from({ length: 1000 }, (_, key) => key).filter(
    (key) => map.get(key) !== undefined,
  );
  t.true(kept.length >= 50 && kept.length <= 100);
  t.is(kept.at(-1), 999);
});

test('what is used again and again is not forgotten', (t) => {
  const map = new RecentMap<number, { changed: boolean }>(10);
  map.set(-1, unchanged);
  for (let key = 0; key < 100; key++) {
    map.set(key, unchanged);
    t.is(map.get(-1), unchanged);
  }
});

test('what has changed is not forgotten until it is stored', (t) => {
  const map = new RecentMap<number, { changed: boolean }>(10);
  const entry = { changed: true };
  map.set(-1, entry);
  for (let key = 0; key < 100; key++) map.set(key, { changed: false });
  t.is(map.get(-1), entry);
  entry.changed = false;
  for (let key = 0; key < 100; key++) map.set(key, { changed: false });
  t.is(map.get(-1), undefined);
});

test('forgets on demand, one and all', (t) => {
  const map = new RecentMap<number, { changed: boolean }>(4);
  for (let key = 0; key < 4; key++) map.set(key, unchanged);
  map.delete(1);
  t.is(map.get(1), undefined);
  map.clear();
  t.is(map.get(3), undefined);
});
