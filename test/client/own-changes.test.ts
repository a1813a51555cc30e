import test from 'ava';
import { NameCache } from '../../client/name-cache.ts';
import { applyChange, applyFailure } from '../../client/own-changes.ts';
import { FsError } from '../../shared/errno.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { nameOps, renameFlags } from '../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../shared/wire/values.ts';

const [directory, other] = [1 as Handle, 2 as Handle];
const [a, b] = [byteString('a'), byteString('b')];
const at = (path: typeof a, where = directory) => ({ directory: where, path });

function attr(handle: Handle): Attr {
  return { handle, kind: 'directory', right: true } as Attr;
}

/** Two directories; `a` leads to 7, and `b` to `target`. */
function stage(target: number | undefined) {
  const cache = new NameCache();
  for (const one of [directory, other]) {
    cache.learn(cache.moment(), attr(one));
    cache.learnName(cache.moment(), one, a, one === directory ? (7 as Handle) : undefined);
    cache.learnName(cache.moment(), one, b, target as Handle | undefined);
  }
  const rename = (to: Handle, flags = 0): void => {
    const request = { from: at(a), to: at(b, to), flags };
    applyChange(cache, nameOps.rename, { at: cache.moment(), request, reply: {} });
  };
  return { cache, rename };
}

test('after a rename both names are known, in one directory or two, over a file or not', (t) => {
  for (const target of [undefined, 8]) {
    for (const to of [directory, other]) {
      const { cache, rename } = stage(target);
      rename(to);
      t.is(cache.find(directory, a), null);
      t.is(cache.find(to, b), 7 as Handle);
    }
  }
});

test('where a rename may have done nothing, or has swapped, is asked', (t) => {
  const same = stage(7);
  same.rename(directory);
  t.is(same.cache.find(directory, a), undefined);
  t.is(same.cache.find(directory, b), undefined);
  const swapped = stage(8);
  swapped.rename(other, renameFlags.exchange);
  t.is(swapped.cache.find(directory, a), undefined);
  t.is(swapped.cache.find(other, b), undefined);
});

test('a refusal changes nothing; a change that may still be made leaves nothing known', (t) => {
  const { cache } = stage(8);
  applyFailure(cache, { at: at(a) }, new FsError('EEXIST'));
  t.is(cache.find(directory, a), 7 as Handle);
  applyFailure(cache, { at: at(a) }, new FsError('ETIMEDOUT'));
  t.is(cache.find(directory, a), undefined);
  cache.learn(cache.moment(), attr(directory));
  cache.learnName(cache.moment(), directory, a, 7 as Handle);
  t.is(cache.find(directory, a), undefined, 'nor is anything kept from now on');
});
