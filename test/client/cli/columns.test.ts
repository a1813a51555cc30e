import test from 'ava';
import { colored } from '../../../client/cli/colors.ts';
import { alignRows, fillColumns, shownWidth } from '../../../client/cli/columns.ts';

test('cells stand below each other whatever their colours and widths', (t) => {
  const rows = [
    ['a', colored('red', 'bb'), 'x'],
    ['文件', 'b', 'y'],
  ];
  const lines = alignRows(rows, ['left', 'right']);
  t.is(lines[0]?.replace(colored('red', 'bb'), 'bb'), 'a     bb  x');
  t.is(lines[1], '文件   b  y');
});

test('the last column is not padded', (t) => {
  t.deepEqual(
    alignRows([
      ['a', 'b'],
      ['a', 'bbbb'],
    ]),
    ['a  b', 'a  bbbb'],
  );
});

test('words fill columns downwards, and stay one a line when there is no room', (t) => {
  t.deepEqual(fillColumns(['a', 'b', 'c', 'd', 'e'], 10), ['a  c  e', 'b  d']);
  t.deepEqual(fillColumns(['long word', 'another'], 10), ['long word', 'another']);
  t.deepEqual(fillColumns([], 10), []);
});

test('colours have no width, wide letters have two', (t) => {
  t.is(shownWidth(colored('green', 'abc')), 3);
  t.is(shownWidth('文e\u0301'), 3);
});
