import test from 'ava';
import * as fc from 'fast-check';
import { FsError } from '../../shared/errno.ts';
import { expandAddress, formatAddress } from '../../shared/iodtab-address.ts';

/** Column 5, so that a column counted from the word's own start shows. */
function expand(text: string): string[] {
  const addresses = expandAddress({ fileName: 'iodtab', line: 3, column: 5, text });
  return addresses.map(({ host, port }) => `${host} ${port ?? '-'}`);
}

const understood: [text: string, addresses: string[]][] = [
  ['node1', ['node1 -']],
  ['node1:7301', ['node1 7301']],
  ['NODE1.Example.ORG:1', ['node1.example.org 1']],
  ['under_score', ['under_score -']],
  ['127.0.0.1:65535', ['127.0.0.1 65535']],
  ['h:07301', ['h 7301']],
  ['h:7301-7303', ['h 7301', 'h 7302', 'h 7303']],
  ['n[1-3]', ['n1 -', 'n2 -', 'n3 -']],
  ['n[9-11].lab:1', ['n9.lab 1', 'n10.lab 1', 'n11.lab 1']],
  ['n[08-10]', ['n08 -', 'n09 -', 'n10 -']],
  ['n[1-2]:7-8', ['n1 7', 'n1 8', 'n2 7', 'n2 8']],
  ['10.0.0.[1-2]:5', ['10.0.0.1 5', '10.0.0.2 5']],
  ['[5-6]n', ['5n -', '6n -']],
  ['[::1]:7301', ['::1 7301']],
  ['[::1]:1-2', ['::1 1', '::1 2']],
  ['[2001:DB8:0:0::1]', ['2001:db8::1 -']],
  ['::1', ['::1 -']],
  ['fe80::a', ['fe80::a -']],
  ['::ffff:10.0.0.1', ['::ffff:a00:1 -']],
  ['1:2:3:4:5:6:7:8:7301', ['1:2:3:4:5:6:7:8 7301']],
];

for (const [text, addresses] of understood) {
  test(`${text} stands for ${addresses.join(', ')}`, (t) => {
    t.deepEqual(expand(text), addresses);
  });
}

const mistakes: [text: string, column: number, reason: string][] = [
  [':7301', 5, 'the host is missing before the colon; write HOST:PORT'],
  [
    'h:',
    7,
    'the port is missing after the colon; write HOST:PORT, or HOST alone for the default port',
  ],
  ['h:0', 7, 'port 0 is out of range; use a number from 1 to 65535'],
  ['h:65536', 7, 'port 65536 is out of range; use a number from 1 to 65535'],
  [
    'h:99999999999999999999',
    7,
    'port 99999999999999999999 is out of range; use a number from 1 to 65535',
  ],
  ['h:http', 7, '"http" is not a port; use a number from 1 to 65535, or a range such as 7301-7304'],
  ['h:-1', 7, '"" is not a port; use a number from 1 to 65535, or a range such as 7301-7304'],
  ['h:1-x', 9, '"x" is not a port; use a number from 1 to 65535, or a range such as 7301-7304'],
  ['h:7304-7301', 7, 'the range 7304-7301 runs backwards; write the smaller number first'],
  ['h:1-513', 7, 'the range 1-513 is too big; a table has at most 512 iods'],
  ['n[3-1]', 7, 'the range 3-1 runs backwards; write the smaller number first'],
  [
    'n[1-512]:7000-7511',
    5,
    '512 hosts with 512 ports each are too many; a table has at most 512 iods',
  ],
  ['n[1-999999999]', 7, 'the range 1-999999999 is too big; a table has at most 512 iods'],
  ['n[1-10000000000]', 7, '"1-10000000000" is not a range; write two numbers, as in node[1-16]'],
  ['n[1,2]', 7, '"1,2" is not a range; write two numbers, as in node[1-16]'],
  ['n[08-9]', 7, 'the range 08-9 mixes widths; write 08-09'],
  ['n[1-2', 6, 'a host may hold one range in brackets; write it as in node[1-16]'],
  ['n]', 6, 'a host may hold one range in brackets; write it as in node[1-16]'],
  ['n[1-2]x[1-2]', 6, 'a host may hold one range in brackets; write it as in node[1-16]'],
  ['nö', 6, '"ö" cannot be in a host name; use letters, digits, dots and hyphens'],
  ['ws://h', 8, '"//h" is not a port; use a number from 1 to 65535, or a range such as 7301-7304'],
  ['n[1-2]/x', 11, '"/" cannot be in a host name; use letters, digits, dots and hyphens'],
  ['[::1', 5, 'the bracket is never closed; write [ADDRESS]:PORT'],
  ['[::1]7301', 10, '"7301" cannot follow the bracket; write [ADDRESS]:PORT, or [ADDRESS] alone'],
  ['[:::]:1', 6, '":::" is neither HOST:PORT nor an IPv6 address; write IPv6 as [::1]:7301'],
  ['a:1:2', 5, '"a:1:2" is neither HOST:PORT nor an IPv6 address; write IPv6 as [::1]:7301'],
  [
    'fe80::1:7301',
    5,
    '"fe80::1:7301" can be read in two ways; ' +
      'write [fe80::1:7301], or [fe80::1]:7301 if 7301 is the port',
  ],
  [
    '256.0.0.1',
    5,
    '"256.0.0.1" is not an IPv4 address; use four numbers from 0 to 255, as in 127.0.0.1',
  ],
  ['127.1', 5, '"127.1" is not an IPv4 address; use four numbers from 0 to 255, as in 127.0.0.1'],
  [
    '10.0.0.[255-256]',
    5,
    '"10.0.0.256" is not an IPv4 address; use four numbers from 0 to 255, as in 127.0.0.1',
  ],
  ...['-a', 'a-', 'a..b', '.a', 'a.', 'a'.repeat(64)].map((text): [string, number, string] => [
    text,
    5,
    `"${text.slice(0, 60)}${text.length > 60 ? '…' : ''}" is not a host name; its parts between ` +
      'dots have 1 to 63 letters, digits and hyphens, with no hyphen at either end, ' +
      'and all of it at most 253',
  ]),
];

for (const [text, column, reason] of mistakes) {
  test(`${text} is refused at column ${column}`, (t) => {
    const error = t.throws(() => expand(text), { instanceOf: FsError });
    t.is(error.what, `iodtab:3:${column}: ${reason}`);
    t.is(error.code, 'EINVAL');
    t.is(error.weftCode, 'WEFT_E_IODTAB');
  });
}

test('a host of more than 253 characters is refused', (t) => {
  const label = 'a'.repeat(49);
  const host = [label, label, label, label, label].join('.');
  t.deepEqual(expand(`${host}.bcd`), [`${host}.bcd -`]);
  t.throws(() => expand(`${host}.bcde`), { instanceOf: FsError });
});

test('a formatted address is read as the same address', (t) => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((text) => new URL(`ws://[${text}]`).hostname.slice(1, -1)),
    fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/),
  );
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (one, port) => {
      t.deepEqual(expand(formatAddress(one, port)), [`${one} ${port}`]);
    }),
  );
});
