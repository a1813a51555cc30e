/** Of small files that are written whole; of what mounts read without a word to the mgr, and before they are asked for it; and of what they have not written yet. */
import type { Defect } from './defects.ts';

export const smallReadDefects: readonly Defect[] = [
  {
    title: 'a file that does not fit is made all the same, and left empty',
    file: 'mgr/ops/whole-file.ts',
    right: '    tick.undo(mark);\n',
    wrong: '',
    noticedBy: ['test/mgr/whole-files.test.ts'],
  },
  {
    title: 'a mount tells what it read ahead although the file was written meanwhile',
    file: 'client/fuse/stream-reads.ts',
    right: 'ahead.since === known?.since && ',
    wrong: '',
    noticedBy: ['test/sim/stream-reads.test.ts', 'test/client/fuse/stream-reads.test.ts'],
  },
  {
    title: 'a file that is lent goes back before the iods have what was written to it',
    file: 'client/lent-writes.ts',
    right: 'if (!isAll) await Promise.all(running);',
    wrong: 'void running;',
    noticedBy: ['test/sim/lent-writes.test.ts', 'test/client/lent-writes.test.ts'],
  },
  {
    title: 'who writes a file in order reads it without what was gathered',
    file: 'client/handle-access.ts',
    right: 'const settling = telling ?? this.writes?.over(handle);',
    wrong: 'const settling = telling;',
    noticedBy: ['test/sim/lent-writes.test.ts'],
  },
  {
    title: 'a file is lent to one who writes it although another has it open',
    file: 'mgr/ops/borrow.ts',
    right: ' && another === undefined',
    wrong: ' && another !== null',
    noticedBy: ['test/mgr/borrowed-files.test.ts'],
  },
  {
    title: 'the right to a small file is given back before the mgr knows who reads it',
    file: 'client/opens-under-right.ts',
    right: 'else if (this.#opens.size > 0) await this.#allKnown(handles);',
    wrong: 'else void this.#allKnown(handles);',
    noticedBy: ['test/client/opens-under-right.test.ts'],
  },
  {
    title: 'a mount takes the name of a small file away that it reads, and does not say so',
    file: 'client/opens-under-right.ts',
    right: 'handle === undefined ? this.owed() : this.known(handle);',
    wrong: 'handle === undefined ? this.owed() : undefined;',
    noticedBy: ['test/sim/opens-under-right.test.ts'],
  },
  {
    title: 'a small file goes from a lent directory before the mgr knows that its mount reads it',
    file: 'client/lent-names.ts',
    right: '    if (opening !== undefined) return opening;\n',
    wrong: '    void opening;\n',
    noticedBy: ['test/client/lent-names-gone.test.ts', 'test/sim/opens-under-right.test.ts'],
  },
  {
    title: 'a mount that reads small files owes nothing when it comes back',
    file: 'client/handle-access.ts',
    right: '[this.lent, this.names, this.#opens, this.writes]',
    wrong: '[this.lent, this.names, this.writes]',
    noticedBy: ['test/sim/opens-under-right.test.ts'],
  },
  {
    title: 'others go on while a client is told what its own change has taken from it',
    file: 'mgr/rights.ts',
    right: '      if (told !== undefined) recalls.push(told);\n',
    wrong: '      void told;\n',
    noticedBy: ['test/sim/opens-under-right.test.ts'],
  },
  {
    title: 'bytes of small files are kept that were asked for before a change',
    file: 'client/fuse/small-reads.ts',
    right: 'if (unwritten(this.#volume, handle)?.since === since)',
    wrong: 'if (bytes.length > 0)',
    noticedBy: ['test/client/fuse/small-reads.test.ts'],
  },
];
