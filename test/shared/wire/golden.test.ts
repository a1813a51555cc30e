import test from 'ava';
import { encode } from '../../../shared/wire/codec.ts';
import { messages, sampleOf } from './arbitrary.ts';

test('every message has the bytes that it has always had', (t) => {
  const hex = messages.map(([name, { code, request, reply }]) => ({
    message: `${code} ${name}`,
    request: encode(request, sampleOf(request.shape)).toString('hex'),
    reply: encode(reply, sampleOf(reply.shape)).toString('hex'),
  }));
  t.snapshot(hex, 'a change here is a change of the protocol: it needs a new version');
});
