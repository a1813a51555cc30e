/** Of files that take less than their size, and of who looks for their holes. */
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
];
