import test from 'ava';
import { metricGroups, type MetricSpec } from '../../../shared/metrics/metric-spec.ts';
import { type MetricName, metricTable } from '../../../shared/metrics/table.ts';

const all = Object.entries(metricTable) as [MetricName, MetricSpec][];

test('names tell unit and type as the conventions of Prometheus say', (t) => {
  for (const [name, { type, unit }] of all) {
    t.regex(name, /^weftfs_[a-z]+(_[a-z]+)*$/, name);
    t.is(name.endsWith('_total'), type === 'counter', name);
    const base = name.replace(/_total$/, '');
    for (const word of ['seconds', 'bytes'] as const) {
      t.is(base.endsWith(`_${word}`), unit === word, name);
    }
  }
});

test('what only one kind of process shows has it in its name; a mount is a client too', (t) => {
  const rolesOf: Readonly<Record<string, readonly string[]>> = {
    mgr: ['mgr'],
    iod: ['iod'],
    mount: ['mount'],
    client: ['mount', 'client'],
  };
  for (const [name, { roles }] of all) {
    const [, named = ''] = /^weftfs_(mgr|iod|mount|client)_/.exec(name) ?? [];
    const own = rolesOf[named];
    if (own === undefined) t.deepEqual(roles.slice(0, 2), ['mgr', 'iod'], name);
    else t.deepEqual(roles, own, name);
  }
});

test('histograms, and nothing else, have buckets, and they rise', (t) => {
  for (const [name, { type, buckets }] of all) {
    t.is(buckets !== undefined, type === 'histogram', name);
    t.deepEqual(
      buckets ?? [],
      [...new Set(buckets)].toSorted((a, b) => a - b),
      name,
    );
  }
});

test('every group has metrics, in the order of the table', (t) => {
  const used = [...new Set(all.map(([, { group }]) => group))];
  t.deepEqual(used.toSorted(), [...metricGroups].toSorted());
});

test('no label can tell of a file, a user or a client', (t) => {
  const labels = new Set(all.flatMap(([, spec]) => spec.labels));
  const allowed = 'role name version state op outcome errno iod phase cause peer what'.split(' ');
  t.deepEqual(
    [...labels].filter((label) => !allowed.includes(label)),
    [],
  );
});
