import test from 'ava';
import { ticketKey, tokenKey } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { mgrOps, type nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { anyLayout, at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';
import { settlement, time } from '../client/settlement.ts';

/** What whoever has the ticket proves. */
function withTicket({ secret }: MgrWorld, name: string): Credential {
  return { kind: 'ticket', name, key: ticketKey(secret, name) };
}

async function ticketOf(world: MgrWorld, client: MgrClient, write = false): Promise<Credential> {
  const { name } = await world.complete(client.call(clusterOps.makeTicket, { write }));
  return withTicket(world, name);
}

async function refusedWith(world: MgrWorld, credential: Credential): Promise<string | undefined> {
  const client = world.newClient({ credential });
  void client.ready().catch(() => undefined);
  await world.pass(2000);
  return client.session === undefined ? client.final?.weftCode : 'a session';
}

test('a ticket lets one in as the user who asked for it, and is worth nothing afterwards', async (t) => {
  const world = new MgrWorld(1);
  const asker = await world.client({ uid: 7 });
  const credential = await ticketOf(world, asker);
  const guest = await world.client({ credential, uid: 0 });
  t.like(guest.session, { uid: 7, gid: 7 });
  t.is(await refusedWith(world, credential), 'WEFT_E_TICKET');
  const { sessions } = await world.complete(guest.call(clusterOps.sessions, { after: 0 as never }));
  t.is(sessions.length, 2);
});

test('a ticket that nobody has used is worth nothing after a minute', async (t) => {
  const world = new MgrWorld(2);
  const asker = await world.client();
  const credential = await ticketOf(world, asker);
  await world.pass(limits.ticketLifeMs);
  t.is(await refusedWith(world, credential), 'WEFT_E_TICKET');
});

test('neither a guessed name nor a guessed key opens the door, and the guess spends the ticket', async (t) => {
  const world = new MgrWorld(3);
  const asker = await world.client();
  t.is(await refusedWith(world, withTicket(world, '0'.repeat(32))), 'WEFT_E_TICKET');
  const credential = await ticketOf(world, asker);
  const guessed = { ...credential, key: Buffer.alloc(32, 1) };
  t.is(await refusedWith(world, guessed), 'WEFT_E_BAD_KEY');
  t.is(await refusedWith(world, credential), 'WEFT_E_TICKET');
});

test('of too many tickets the oldest goes', async (t) => {
  const world = new MgrWorld(4);
  const asker = await world.client();
  const first = await ticketOf(world, asker);
  const second = await ticketOf(world, asker);
  for (let i = 1; i < limits.ticketsMax; i++) await ticketOf(world, asker);
  t.is(await refusedWith(world, first), 'WEFT_E_TICKET');
  t.is(await refusedWith(world, second), 'a session');
});

test('only who has proved the key of the cluster gets a ticket, and nobody who reads only', async (t) => {
  const world = new MgrWorld(5);
  const asker = await world.client();
  const key = tokenKey(world.secret, '5');
  const holder = await world.client({ credential: { kind: 'token', name: '5', key } });
  const ask = { write: false };
  await t.throwsAsync(world.complete(holder.call(clusterOps.makeTicket, ask)), { code: 'EACCES' });
  const reader = await world.client({ credential: await ticketOf(world, asker) });
  await t.throwsAsync(world.complete(reader.call(clusterOps.makeTicket, ask)), { code: 'EROFS' });
});

test('who reads only reads, and every change is refused, also after a restart of the mgr', async (t) => {
  const world = new MgrWorld(6);
  const asker = await world.client();
  const { attr } = await world.complete(asker.create('/f'));
  await world.complete(asker.close(attr.handle, rights.read | rights.write));
  const reader = await world.client({ credential: await ticketOf(world, asker) });
  const check = async (): Promise<void> => {
    for (const [name, request] of Object.entries(changes(attr.handle))) {
      const op = changing[name as keyof typeof changing];
      const sent = reader.call(op as typeof nameOps.unlink, request as never);
      const error = await t.throwsAsync(world.complete(sent), { code: 'EROFS' }, name);
      t.truthy(error);
    }
    for (const flag of ['write', 'create', 'truncate', 'exclusive'] as const) {
      const sent = reader.open('/f', openFlags.read | openFlags[flag]);
      await t.throwsAsync(world.complete(sent), { code: 'EROFS' }, flag);
    }
    const opened = await world.complete(reader.open('/f', openFlags.read));
    t.is(opened.cap.body.rights, rights.read);
    await world.complete(reader.close(attr.handle, rights.read));
    t.like(await world.complete(reader.stat('/f')), { attr: { handle: attr.handle } });
  };
  await check();
  world.process.kill();
  world.process.start();
  await world.complete(reader.ready());
  await check();
  t.like(await world.complete(asker.stat('/f')), { attr: { mode: attr.mode, links: 1, size: 0 } });
});

test('with a ticket for writing all is as with the key itself', async (t) => {
  const world = new MgrWorld(7);
  const asker = await world.client();
  const writer = await world.client({ credential: await ticketOf(world, asker, true) });
  const { attr } = await world.complete(writer.create('/f'));
  await world.complete(writer.close(attr.handle, rights.read | rights.write));
  await world.complete(writer.unlink('/f'));
  await t.throwsAsync(world.complete(asker.stat('/f')), { code: 'ENOENT' });
});

/** All messages that change something, but those that a reader may send. */
const changing = Object.fromEntries(
  Object.entries(mgrOps).filter(
    ([name, { traits }]) =>
      traits.resend === 'slot' && !['open', 'close', 'abandon'].includes(name),
  ),
);

const nothingMade = { removed: [], made: [], contents: Buffer.alloc(0) };

/** A request of each that would do something. */
function changes(handle: Handle): Record<string, object> {
  const name = byteString('user.a');
  const bytes = Buffer.from('1');
  const requests: Record<string, object> = {
    setAttr: { ...noChange, at: at('/f'), mode: 0o600 },
    makeNode: { at: at('/d'), kind: 'directory', mode: 0o755, device: 0 },
    symlink: { at: at('/s'), target: byteString('f') },
    link: { from: at('/f'), to: at('/g'), follow: false },
    unlink: { at: at('/f') },
    removeDirectory: { at: at('/d') },
    rename: { from: at('/f'), to: at('/g'), flags: 0 },
    setXattr: {
      at: at('/f'),
      follow: true,
      name,
      value: Buffer.from('1'),
      mustExist: false,
      mustNotExist: false,
    },
    removeXattr: { at: at('/f'), follow: true, name },
    setDefaults: { at: at('/'), layout: anyLayout, retentionSeconds: undefined },
    extend: { handle, size: 1, modified: time },
    reserve: { handle, length: 1 },
    writeSmall: { handle, offset: 0, bytes },
    moveOut: { handle },
    writeFile: { at: at('/f'), flags: 0, mode: 0o644, layout: anyLayout, append: false, bytes },
    settle: { ...settlement, handle, rights: 0 },
    settleNames: { ...settlement, directory: handle, back: false, ...nothingMade },
    evictIod: { index: 0, admit: false },
  } satisfies Partial<Record<keyof typeof mgrOps, object>>;
  const forgotten = Object.keys(changing).filter((one) => !(one in requests));
  if (forgotten.length > 0) throw new Error(`no request for ${forgotten.join(', ')}`);
  return requests;
}
