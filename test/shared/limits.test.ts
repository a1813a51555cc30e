import test from 'ava';
import { limits } from '../../shared/limits.ts';

test('every limit is a whole number above zero', (t) => {
  for (const [name, value] of Object.entries(limits)) {
    t.true(Number.isSafeInteger(value) && value > 0, `${name} is ${value}`);
  }
});

test('a limit of time or bytes says its unit', (t) => {
  for (const name of Object.keys(limits)) {
    if (/timeout|delay|interval|lease|deadline|silence|window(?!Bytes)/i.test(name)) {
      t.regex(name, /Ms$/, name);
    }
    if (/water|payload|body|packet|stripe/i.test(name)) t.regex(name, /Bytes/, name);
  }
});

test('a stripe unit can be the default, and the default fits whole transfers', (t) => {
  t.true(limits.stripeBytesMin <= limits.stripeBytesDefault);
  t.true(limits.stripeBytesDefault <= limits.stripeBytesMax);
  t.is(limits.stripeBytesDefault % limits.transferBytes, 0);
});

test('a window holds at least one transfer', (t) => {
  t.true(limits.windowBytesPerIod >= limits.transferBytes);
});

test('a lost connection is noticed and tried again before any lease ends', (t) => {
  const noticedMs =
    limits.heartbeatSilenceMs + limits.reconnectDelayMaxMs + limits.connectTimeoutMs;
  t.true(noticedMs < limits.sessionLeaseMs);
  t.true(noticedMs < limits.iodLeaseMs);
  t.true(limits.sessionLeaseMs < limits.callDeadlineDefaultMs);
});
