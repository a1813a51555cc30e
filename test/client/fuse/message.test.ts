import test from 'ava';
import * as fc from 'fast-check';
import { encode } from '../../../client/fuse/layout.ts';
import { decodeHeader, decodeRequest, withHeader } from '../../../client/fuse/message.ts';
import { type Operation, operations, replyHeader } from '../../../client/fuse/protocol.ts';
import { ProtocolError } from '../../../shared/errno.ts';
import { requestBytes } from './requests.ts';

test('a request is taken apart into its structure, its names and its groups', (t) => {
  const body = encode(operations.rename2.request, { directory: 9, flags: 1 });
  const extension = Buffer.from('10000000200000000100000034120000', 'hex');
  const message = requestBytes(45, [body, Buffer.from('old\0ne\xffw\0', 'latin1'), extension], {
    extensionWords: 2,
    node: 7,
  });
  const header = decodeHeader(message);
  const request = decodeRequest(operations.rename2, header, message);
  t.is(request.header.node, 7);
  t.deepEqual(request.body, { directory: 9, flags: 1 });
  t.deepEqual([...request.tail], ['old', 'ne\xffw']);
  t.deepEqual(request.groups, [0x1234]);
});

test('the bytes of a write are those behind its structure', (t) => {
  const fields = { file: 1, offset: 2 ** 40, size: 3, writeFlags: 0, flags: 0 };
  const message = requestBytes(16, [encode(operations.write.request, fields), Buffer.from('abc')]);
  const { body, tail } = decodeRequest(operations.write, decodeHeader(message), message);
  t.deepEqual(body, fields);
  t.is(tail.toString(), 'abc');
});

test('a request cut anywhere, or with any bytes, is refused or decoded, never worse', (t) => {
  const message = requestBytes(16, [Buffer.alloc(operations.write.request.bytes)]);
  for (let end = 0; end < message.length; end++) {
    t.throws(() => decodeHeader(message.subarray(0, end)), { instanceOf: ProtocolError });
  }
  for (const operation of Object.values(operations) as readonly Operation[]) {
    const bytes = fc.uint8Array({ maxLength: 120 });
    fc.assert(
      fc.property(bytes, fc.nat(20), (content, extensionWords) => {
        const random = requestBytes(operation.code, [content], { extensionWords });
        try {
          decodeRequest(operation, decodeHeader(random), random);
        } catch (error) {
          t.true(error instanceof ProtocolError);
        }
      }),
      { numRuns: 20 },
    );
  }
});

test('a reply says its length and the negative errno', (t) => {
  const [head = Buffer.alloc(0), ...rest] = withHeader(77, 2, [Buffer.from('abc')]);
  t.deepEqual(replyHeader.read(Buffer.from(head), 0), { length: 19, error: -2, unique: 77 });
  t.is(Buffer.concat(rest).toString(), 'abc');
});
