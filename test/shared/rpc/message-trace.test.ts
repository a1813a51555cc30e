import test from 'ava';
import { Encoded } from '../../../shared/rpc/service.ts';
import { FsError } from '../../../shared/errno.ts';
import { encode } from '../../../shared/wire/codec.ts';
import { failure, ops, Pair, type PairOptions } from './pair.ts';

async function lines(options: PairOptions) {
  const pair = new Pair(options);
  await pair.pass(10);
  const link = await pair.run(() => pair.link());
  const deadline = { deadline: Infinity };
  await pair.run(() => link.call(ops.change, { n: 5 }, deadline));
  await pair.run(() =>
    link.call(ops.fetch, { length: 9 }, { ...deadline, into: [Buffer.alloc(9)] }),
  );
  await failure(pair.run(() => link.call(ops.echo, { n: 6 }, deadline)));
  await failure(pair.run(() => link.call({ ...ops.echo, code: 59_999 }, { n: 7 }, deadline)));
  return pair.world.log.lines.filter(({ level }) => level === 'debug');
}

const handlers = {
  change: () => new Encoded(encode(ops.change.reply, { n: 50 })),
  echo: () => {
    throw new FsError('ENOENT');
  },
};

test('at level debug every message is a line at both ends, by name and with its fields', async (t) => {
  const log = await lines({ handlers, logLevel: 'debug' });
  const count = (process: string, message: string): number =>
    log.filter((line) => line.process === process && line.message === message).length;
  for (const [process, asks] of [
    ['client', 'sent'],
    ['server', 'received'],
  ] as const) {
    t.is(count(process, `request ${asks}`), 6);
    t.is(count(process, `reply ${asks === 'sent' ? 'received' : 'sent'}`), 6);
  }
  const of = (process: string, op: string) =>
    log
      .filter((line) => line.process === process && line.fields['op'] === op)
      .map(({ message, fields }) => {
        const { tag, peer, ...rest } = fields;
        t.true(Number(tag) > 0 && String(peer).length > 0);
        return { message, ...rest };
      });
  t.deepEqual(of('server', 'message 60001'), [
    { message: 'request received', op: 'message 60001', slot: 0, sequence: 1, fields: 'n=5' },
    { message: 'reply sent', op: 'message 60001', fields: 'n=50' },
  ]);
  t.deepEqual(of('client', 'message 60003'), [
    { message: 'request sent', op: 'message 60003', fields: 'length=9' },
    { message: 'reply received', op: 'message 60003', fields: 'length=9', payloadBytes: 9 },
  ]);
  t.like(of('client', 'message 60000')[1], { message: 'reply received', errno: 'ENOENT' });
  t.like(of('server', 'message 59999'), [{ message: 'request received' }, { errno: 'ENOSYS' }]);
  t.is(of('client', 'hello').length, 2);
});

test('a key or proof is never printed whole', async (t) => {
  for (const { fields } of await lines({ handlers, logLevel: 'debug' })) {
    t.notRegex(String(fields['fields']), /[0-9a-f]{9}/);
  }
});

test('at any other level nothing is printed', async (t) => {
  t.deepEqual(await lines({ handlers, logLevel: 'info' }), []);
});
