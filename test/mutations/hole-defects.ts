/** Of files that take less than their size, of who looks for their holes, and of copies within iods. */
import type { Defect } from './defects.ts';

export const holeDefects: readonly Defect[] = [
  {
    title: 'who leaves a part of a file out on his way does not say so',
    file: 'client/written-extent.ts',
    right: '!isReserved) this.#hasGap = true;',
    wrong: '!isReserved) this.#hasGap = false;',
    noticedBy: ['test/sim/holes.test.ts'],
  },
  {
    title: 'who asks for holes while the file is changed may cache what it was before',
    file: 'mgr/service.ts',
    right: 'const isAsBefore = call.view.inode(handle) === before && ',
    wrong: 'const isAsBefore = ',
    noticedBy: ['test/mgr/holes.test.ts'],
  },
  {
    title: 'the search for a hole ends where one iod has looked so far',
    file: 'client/hole-search.ts',
    right: 'if (!found) further.push(at);\n      else if',
    wrong: 'if',
    noticedBy: ['test/client/hole-search.test.ts'],
  },
  {
    title: 'a copy keeps what was there where the other file has nothing',
    file: 'iod/storage/file-object-store.ts',
    right: 'buffer.fill(0, count);',
    wrong: '',
    noticedBy: ['test/iod/ops/data.test.ts'],
  },
  {
    title: 'a copy that waits for its bytes undoes what was written since',
    file: 'iod/storage/file-object-store.ts',
    right: 'await this.#order.run(handle, range, async () => {',
    wrong: 'await this.#order.run(handle, { from: 0, to: 0 }, async () => {',
    noticedBy: ['test/iod/ops/data.test.ts'],
  },
  {
    title: 'iods copy between places that are not as far within their stripes',
    file: 'client/copy-plan.ts',
    right: 'if (from.position % ssize !== to.position % ssize) return false;',
    wrong: '',
    noticedBy: ['test/client/copy-plan.test.ts'],
  },
];
