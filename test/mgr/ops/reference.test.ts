import test from 'ava';
import * as fc from 'fast-check';
import type { Handle } from '../../../shared/units.ts';
import { renameFlags } from '../../../shared/wire/mgr-ops.ts';
import { NameSpace } from '../name-space.ts';
import { outcomeOf, ReferenceTree } from '../reference-tree.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);

type Step =
  | { op: 'file' | 'directory' | 'unlink' | 'removeDirectory'; path: string }
  | { op: 'symlink' | 'link' | 'rename' | 'exchange'; path: string; to: string }
  | { op: 'commit' | 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom(
        'file' as const,
        'directory' as const,
        'directory' as const,
        'unlink' as const,
        'removeDirectory' as const,
      ),
      path,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constantFrom(
        'symlink' as const,
        'link' as const,
        'rename' as const,
        'rename' as const,
        'exchange' as const,
      ),
      path,
      to: path,
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('commit' as const, 'crash' as const) }) },
);

function runReal(names: NameSpace, step: Step): void {
  switch (step.op) {
    case 'file':
    case 'directory':
    case 'unlink':
    case 'removeDirectory':
      names[step.op](step.path);
      break;
    case 'symlink':
      names.symlink(step.path, step.to);
      break;
    case 'link':
      names.link(step.path, step.to);
      break;
    case 'rename':
    case 'exchange':
      names.rename(step.path, step.to, step.op === 'exchange' ? renameFlags.exchange : 0);
      break;
    case 'commit':
    case 'crash':
  }
}

function runReference(tree: ReferenceTree, step: Step): void {
  switch (step.op) {
    case 'file':
    case 'directory':
      tree.make(step.path, step.op);
      break;
    case 'symlink':
      tree.make(step.path, 'symlink', step.to);
      break;
    case 'unlink':
    case 'removeDirectory':
      tree[step.op](step.path);
      break;
    case 'link':
      tree.link(step.path, step.to);
      break;
    case 'rename':
    case 'exchange':
      tree.rename(step.path, step.to, step.op === 'exchange');
      break;
    case 'commit':
    case 'crash':
  }
}

/** The state as `ReferenceTree.print` tells it, with `..` and kinds of the entries checked. */
function print(names: NameSpace): string[] {
  const lines: string[] = [];
  const visit = (directory: Handle, path: string): void => {
    for (const entry of names.entries(directory)) {
      const inode = names.view.inode(entry.handle);
      if (inode === undefined) throw new Error(`${path}/${entry.name} leads nowhere`);
      if (inode.kind !== entry.kind) throw new Error(`${path}/${entry.name} has two kinds`);
      if (inode.kind === 'directory' && inode.parent !== directory)
        throw new Error(`.. of ${path}`);
      lines.push(`${path}/${entry.name} ${inode.kind} ${inode.links} ${inode.target ?? ''}`);
      if (inode.kind === 'directory') visit(entry.handle, `${path}/${entry.name}`);
    }
  };
  visit(1 as Handle, '');
  return lines.toSorted();
}

test('any operations in any order end as in the plainest tree, with the same errors, through crashes', (t) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const names = new NameSpace();
      let tree = new ReferenceTree();
      let committed: Step[] = [];
      let tick: Step[] = [];
      for (const step of steps) {
        if (step.op === 'commit') {
          names.commit();
          committed = committed.concat(tick);
          tick = [];
        } else if (step.op === 'crash') {
          names.reopen();
          tick = [];
          tree = new ReferenceTree();
          for (const done of committed) outcomeOf(() => runReference(tree, done));
        } else {
          tick.push(step);
        }
        const real = outcomeOf(() => runReal(names, step));
        const expected = outcomeOf(() => runReference(tree, step));
        t.is(real, expected, JSON.stringify(step));
      }
      t.deepEqual(print(names), tree.print());
      names.commit();
      names.reopen();
      t.deepEqual(print(names), tree.print());
      const files = new Set(names.store.files(0 as Handle, 10_000).map(({ handle }) => handle));
      t.is(names.store.fileCount(), files.size);
      t.deepEqual(names.store.orphans(0 as Handle, 10), []);
      for (const handle of files) t.truthy(names.store.direntOf(handle), 'no file without a name');
    }),
    { numRuns: 200 },
  );
});
