import test from 'ava';
import * as fc from 'fast-check';
import { type ClusterUrl, formatClusterUrl, parseClusterUrl } from '../../shared/cluster-url.ts';
import { FsError } from '../../shared/errno.ts';

const understood: [text: string, url: ClusterUrl][] = [
  ['ws://n1:7300', { host: 'n1', port: 7300 }],
  ['ws://n1', { host: 'n1', port: 7300 }],
  ['ws://n1/', { host: 'n1', port: 7300 }],
  ['WS://N1:80', { host: 'n1', port: 80 }],
  ['ws://127.0.0.1:1?', { host: '127.0.0.1', port: 1 }],
  ['ws://[::1]', { host: '::1', port: 7300 }],
  ['ws://[2001:DB8::0:1]:9?key=/k', { host: '2001:db8::1', port: 9, keyFile: '/k' }],
  ['ws://n1:7300?key=/etc/weft/key', { host: 'n1', port: 7300, keyFile: '/etc/weft/key' }],
  ['ws://n1/?key=/a/b', { host: 'n1', port: 7300, keyFile: '/a/b' }],
  ['ws://n1?key=/a%20b/c++/%23%25', { host: 'n1', port: 7300, keyFile: '/a b/c++/#%' }],
  ['ws://n1?key=/a=b', { host: 'n1', port: 7300, keyFile: '/a=b' }],
];

for (const [text, url] of understood) {
  test(`${text} is understood`, (t) => {
    t.deepEqual(parseClusterUrl(text), url);
  });
}

const example = 'ws://HOST:PORT?key=/path/to/cluster.key';
const mistakes: [text: string, reason: string][] = [
  ['', `it is empty; write ${example}`],
  ['n1:7300', `it does not begin with ws://; write ${example}`],
  ['ws:/n1', `it does not begin with ws://; write ${example}`],
  ['http://n1:7300', `it begins with "http://"; write ${example}`],
  ['unix:///run/weft.sock', `it begins with "unix://"; write ${example}`],
  [
    'wss://n1:7300',
    'wss is not spoken: weftfs proves the key at both ends but does not encrypt; ' +
      'write ws:// and lead it through a tunnel (ssh, WireGuard) where others can listen',
  ],
  [' ws://n1', 'it has white space in it; remove it, or write %20 for a space in the key file'],
  ['ws://', `it names no host; write ${example}`],
  ['ws://:7300', `it names no host; write ${example}`],
  ['ws://?key=/k', `it names no host; write ${example}`],
  ['ws://n1:', '"" is no port; write a number from 1 to 65535, or no colon for 7300'],
  ['ws://n1:0', '"0" is no port; write a number from 1 to 65535, or no colon for 7300'],
  ['ws://n1:65536', '"65536" is no port; write a number from 1 to 65535, or no colon for 7300'],
  ['ws://n1:1e3', '"1e3" is no port; write a number from 1 to 65535, or no colon for 7300'],
  ['ws://::1:7300', '"::1:7300" is neither HOST:PORT nor [IPV6]:PORT; write IPv6 as [::1]:7300'],
  ['ws://[::1]7300', '"[::1]7300" is neither HOST:PORT nor [IPV6]:PORT; write IPv6 as [::1]:7300'],
  ['ws://n1\\evil', '"n1\\\\evil" is neither HOST:PORT nor [IPV6]:PORT; write IPv6 as [::1]:7300'],
  ['ws://[n1]', '"[n1]" is no host; write a name, an IPv4 address, or [IPV6]'],
  ['ws://n^1', '"n^1" is no host; write a name, an IPv4 address, or [IPV6]'],
  ['ws://256.1.1.1', '"256.1.1.1" is no host; write a name, an IPv4 address, or [IPV6]'],
  ['ws://n1/rpc', 'it has a path, "/rpc"; remove it, files are named apart from the URL'],
  ['ws://n1#x', 'it has a #; remove what begins there, or write %23 for a # in the key file'],
  ['ws://n1?kye=/k', 'it has a parameter "kye"; the only one is key=FILE (write & as %26)'],
  ['ws://n1?key=/k&x', 'it has a parameter "x"; the only one is key=FILE (write & as %26)'],
  ['ws://n1?key=/k&key=/k', 'it names a key file twice; write ?key=FILE once'],
  ['ws://n1?key=', 'its key file "" is no absolute path; write ?key=/path/to/cluster.key'],
  ['ws://n1?key=~/k', 'its key file "~/k" is no absolute path; write ?key=/path/to/cluster.key'],
  [
    'ws://n1?key=/k%00',
    'its key file "/k\\u0000" is no absolute path; write ?key=/path/to/cluster.key',
  ],
  ['ws://n1?key=/100%', 'its key file "/100%" has a stray %; write %25 for a % in it'],
];

for (const [text, reason] of mistakes) {
  test(`"${text}" is refused with what to type`, (t) => {
    const error = t.throws(() => parseClusterUrl(text), { instanceOf: FsError });
    t.is(error.what, `this is not a cluster URL: ${reason}`);
    t.is(error.code, 'EINVAL');
    t.is(error.weftCode, 'WEFT_E_BAD_URL');
  });
}

test('a password in the URL is refused and not repeated', (t) => {
  const error = t.throws(() => parseClusterUrl('ws://me:secret@n1'), { instanceOf: FsError });
  t.true(error.what?.includes('remove all up to the @'));
  t.false(JSON.stringify([error.message, error.stack]).includes('secret'));
});

test('a URL is written as people would write it', (t) => {
  t.is(formatClusterUrl({ host: 'n1', port: 7300 }), 'ws://n1:7300');
  t.is(
    formatClusterUrl({ host: '::1', port: 9, keyFile: '/etc/weft/my key' }),
    'ws://[::1]:9?key=/etc/weft/my%20key',
  );
});

test('a URL comes back from its text', (t) => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((text) => new URL(`ws://[${text}]`).hostname.slice(1, -1)),
    fc.stringMatching(/^[a-z][a-z0-9]{0,20}(\.[a-z]{1,9})?$/),
  );
  const keyFile = fc
    .string({ unit: 'grapheme' })
    .filter((path) => !path.includes('\0'))
    .map((path) => `/${path}`);
  const url = fc.record(
    { host, port: fc.integer({ min: 1, max: 65_535 }), keyFile },
    { requiredKeys: ['host', 'port'] },
  );
  fc.assert(
    fc.property(url, (made) => {
      t.deepEqual(parseClusterUrl(formatClusterUrl(made)), made);
    }),
  );
});

test('any text is understood or refused; nothing else happens', (t) => {
  const anything = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        anything.map((rest) => `ws://${rest}`),
      ),
      (text) => {
        try {
          const url = parseClusterUrl(text);
          t.deepEqual(parseClusterUrl(formatClusterUrl(url)), url);
        } catch (error: unknown) {
          if (!(error instanceof FsError)) throw error;
          t.is(error.weftCode, 'WEFT_E_BAD_URL');
        }
      },
    ),
    { numRuns: 1000 },
  );
});
