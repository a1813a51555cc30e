import * as fsp from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Quarantine } from '../../../iod/storage/quarantine.ts';
import { limits } from '../../../shared/limits.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Handle } from '../../../shared/units.ts';
import { temporaryDirectory } from './real-store.ts';

const runtime = makeNodeRuntime({ log: 'silent' });
const nobody = 0 as Handle;

async function openQuarantine(directory: string): Promise<Quarantine> {
  const quarantine = new Quarantine(runtime, directory);
  await quarantine.open();
  return quarantine;
}

test('what is set aside is listed with its reason, and comes back as it was', async (t) => {
  const directory = await temporaryDirectory(t);
  const quarantine = await openQuarantine(directory);
  await fsp.mkdir(join(directory, 'objects'));
  await fsp.writeFile(join(directory, 'objects', 'x'), 'bytes');
  await quarantine.setAside('objects/x', 17 as Handle, 'for a test');
  t.deepEqual(await fsp.readdir(join(directory, 'objects')), []);
  const { entries, done } = await quarantine.list('');
  t.true(done);
  t.like(entries[0], { handle: 17 as Handle, reason: 'for a test', lengthBytes: 5 });
  await fsp.rmdir(join(directory, 'objects'));
  await quarantine.restore(entries[0]?.id ?? '');
  t.is(await fsp.readFile(join(directory, 'objects', 'x'), 'utf8'), 'bytes');
  t.is(quarantine.count, 0);
  t.deepEqual(await fsp.readdir(join(directory, 'quarantine')), []);
});

test('nothing is overwritten by putting something back', async (t) => {
  const directory = await temporaryDirectory(t);
  const quarantine = await openQuarantine(directory);
  await fsp.writeFile(join(directory, 'x'), 'old');
  await quarantine.setAside('x', nobody, 'for a test');
  await fsp.writeFile(join(directory, 'x'), 'new');
  const { entries } = await quarantine.list('');
  const taken = quarantine.restore(entries[0]?.id ?? '');
  const error = await t.throwsAsync(taken, { code: 'EEXIST' });
  t.like(error, { weftCode: 'WEFT_E_QUARANTINED' });
  t.is(await fsp.readFile(join(directory, 'x'), 'utf8'), 'new');
  t.is(quarantine.count, 1);
});

test('what is discarded is gone; what is not there is ENOENT', async (t) => {
  const directory = await temporaryDirectory(t);
  const quarantine = await openQuarantine(directory);
  await fsp.writeFile(join(directory, 'x'), 'bytes');
  await quarantine.setAside('x', nobody, 'for a test');
  const { entries } = await quarantine.list('');
  const id = entries[0]?.id ?? '';
  await quarantine.discard(id);
  t.is(quarantine.count, 0);
  t.deepEqual(await fsp.readdir(join(directory, 'quarantine')), []);
  await t.throwsAsync(quarantine.discard(id), { code: 'ENOENT' });
  await t.throwsAsync(quarantine.restore('../x'), { code: 'ENOENT' });
});

test('a restart finds what is there, numbers go on, and two of one name are two', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await openQuarantine(directory);
  for (const text of ['one', 'two']) {
    await fsp.writeFile(join(directory, 'x'), text);
    await first.setAside('x', nobody, text);
  }
  const second = await openQuarantine(directory);
  t.is(second.count, 2);
  await fsp.writeFile(join(directory, 'x'), 'three');
  await second.setAside('x', nobody, 'three');
  const { entries } = await second.list('');
  t.deepEqual(
    entries.map(({ reason }) => reason),
    ['one', 'two', 'three'],
  );
  const rest = await second.list(entries[0]?.id ?? '');
  t.is(rest.entries.length, 2);
});

test('what another has set aside already is left alone', async (t) => {
  const directory = await temporaryDirectory(t);
  const quarantine = await openQuarantine(directory);
  await fsp.writeFile(join(directory, 'x'), 'bytes');
  await Promise.all([
    quarantine.setAside('x', nobody, 'first'),
    quarantine.setAside('x', nobody, 'second'),
  ]);
  t.is(quarantine.count, 1);
});

test('an entry whose note is lost or damaged is listed, and only discarded', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await openQuarantine(directory)).open();
  await fsp.writeFile(join(directory, 'quarantine', '000000000001'), 'bytes');
  await fsp.writeFile(join(directory, 'quarantine', '000000000002'), 'bytes');
  await fsp.writeFile(join(directory, 'quarantine', '000000000002.json'), '{"hand');
  const quarantine = await openQuarantine(directory);
  const { entries } = await quarantine.list('');
  t.deepEqual(
    entries.map(({ reason }) => reason),
    ['there is no readable note', 'there is no readable note'],
  );
  await t.throwsAsync(quarantine.restore('000000000001'), { code: 'EEXIST' });
  await quarantine.discard('000000000002');
  t.is(quarantine.count, 1);
});

test('a page of the list fits in a message, and the next one goes on behind it', async (t) => {
  const directory = await temporaryDirectory(t);
  const quarantine = await openQuarantine(directory);
  const count = limits.quarantinePerListPage + 1;
  for (let i = 0; i < count; i++) {
    await fsp.writeFile(join(directory, 'x'), '');
    await quarantine.setAside('x', nobody, 'for a test');
  }
  const first = await quarantine.list('');
  t.is(first.entries.length, limits.quarantinePerListPage);
  t.false(first.done);
  const second = await quarantine.list(first.entries.at(-1)?.id ?? '');
  t.is(second.entries.length, 1);
  t.true(second.done);
});
