import test from 'ava';
import { connect } from '../../../client/browser/connect.ts';

test('a key that is none is refused without being shown', async (t) => {
  const key = `${'a'.repeat(63)}x`;
  const error = await t.throwsAsync(connect('ws://127.0.0.1:7300', { key }));
  t.like(error, { code: 'EINVAL', weftCode: 'WEFT_E_BAD_KEY', syscall: 'connect' });
  t.false(error?.message.includes(key));
});

test('a URL that names a key file is refused: a page reads none', async (t) => {
  const error = await t.throwsAsync(connect('ws://127.0.0.1:7300?key=/cluster.key'));
  t.like(error, { code: 'EINVAL', weftCode: 'WEFT_E_BAD_URL' });
  t.regex(error?.message ?? '', /option key/);
});

test('a ticket that is none is refused without being shown', async (t) => {
  const ticket = `${'a'.repeat(32)}.${'b'.repeat(63)}`;
  const error = await t.throwsAsync(connect('ws://127.0.0.1:7300', { ticket }));
  t.like(error, { code: 'EINVAL', weftCode: 'WEFT_E_TICKET', syscall: 'connect' });
  t.false(error?.message.includes(ticket));
});
