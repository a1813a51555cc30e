import test from 'ava';
import { UsageError } from '../../../client/cli/arguments.ts';
import { parseMetricsAddress } from '../../../client/cli/mount-metrics.ts';

test('without a host the metrics of a mount are for this host alone', (t) => {
  t.deepEqual(parseMetricsAddress('9464'), { host: '127.0.0.1', port: 9464 });
  t.deepEqual(parseMetricsAddress(':9464'), { host: '127.0.0.1', port: 9464 });
  t.deepEqual(parseMetricsAddress('lab1:0'), { host: 'lab1', port: 0 });
  t.deepEqual(parseMetricsAddress('[::]:9464'), { host: '::', port: 9464 });
});

test('what is no address is a mistake of the command line', (t) => {
  for (const text of ['', 'lab1', 'lab1:', '::1:9464', '65536', '9464 ', '[]:1', 'http://h:1/']) {
    t.throws(() => parseMetricsAddress(text), { instanceOf: UsageError }, text);
  }
});
