import test from 'ava';
import { isPageOrigin, originAt } from '../../shared/page-origin.ts';

for (const origin of [
  'http://localhost:5173',
  'http://127.0.0.1:8080',
  'https://example.org',
  'https://example.org:8443',
  'http://[::1]:3000',
]) {
  test(`${origin} is an origin`, (t) => {
    t.true(isPageOrigin(origin));
  });
}

for (const [what, text] of Object.entries({
  'with a path': 'https://example.org/',
  'with a port that goes without saying': 'https://example.org:443',
  'in capitals': 'https://Example.org',
  'of all pages': '*',
  'of all pages of a domain': 'https://*.example.org/',
  'of pages without one': 'null',
  'of a file': 'file://',
  'without a scheme': 'example.org',
  'of a WebSocket': 'ws://example.org',
  nothing: '',
})) {
  test(`an origin ${what} is none`, (t) => {
    t.false(isPageOrigin(text));
  });
}

test('the origin of pages at an address is as a browser sends it', (t) => {
  for (const [host, port, origin] of [
    ['127.0.0.1', 7300, 'http://127.0.0.1:7300'],
    ['::1', 7300, 'http://[::1]:7300'],
    ['Storage.Example', 80, 'http://storage.example'],
  ] as const) {
    t.is(originAt(host, port), origin);
    t.true(isPageOrigin(origin));
  }
});
