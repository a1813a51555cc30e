import test from 'ava';
import { figuresOf } from '../../../bench/peers/report.ts';
import { run } from './sample-report.ts';

const systems = ['a', 'b'].map((name) => ({ name, version: '', about: '' }));

test('figures stand in the order of the works, then of the systems, whoever ran first', (t) => {
  const runs = [
    run('b', 'unlink', 1, 1, 1),
    run('b', 'write', 1, 1, 1),
    run('a', 'unlink', 1, 1, 1),
  ];
  t.deepEqual(
    figuresOf(systems, runs).map(({ system, work }) => `${system} ${work}`),
    ['b write', 'a unlink', 'b unlink'],
  );
});

test('a figure has its median, both ends, all runs, processor time and memory', (t) => {
  const runs = [run('a', 'write', 30, 9e6, 12), run('a', 'write', 10, 3e6, 10)];
  const [figure] = figuresOf(systems, [...runs, run('a', 'write', 20.00001, 5e6, 11)]);
  t.deepEqual(figure, {
    system: 'a',
    work: 'write',
    median: 20,
    min: 10,
    max: 30,
    runs: [30, 10, 20],
    cpu: 5,
    residentMebibytes: 11,
  });
});

test('processor time is in seconds a GiB of bytes, and in microseconds of a call', (t) => {
  const runs = [run('a', 'read', 1, 2e6, 1), { ...run('a', 'stat', 1, 500, 1), done: 100 }];
  t.deepEqual(
    figuresOf(systems, runs).map(({ cpu }) => cpu),
    [2, 5],
  );
});

test('what is a limit only has neither processor time nor memory', (t) => {
  const [figure] = figuresOf(systems, [{ system: 'a', work: 'stat', value: 1, done: 1 }]);
  t.false(figure === undefined || 'cpu' in figure || 'residentMebibytes' in figure);
});
