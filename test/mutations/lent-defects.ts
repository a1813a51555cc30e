/** Of files that are lent to the mounts that make them (decision 20). */
import type { Defect } from './defects.ts';

export const lentDefects: readonly Defect[] = [
  {
    title: 'a lent file is shown without what its client has done to it',
    file: 'mgr/lends.ts',
    right:
      '    throw new LentError(handle, asked === undefined ? woken : Promise.race([asked, woken]));\n',
    wrong: '    void woken;\n',
    noticedBy: ['test/mgr/lends.test.ts'],
  },
  {
    title: 'a lent file goes to others when its client is not heard of for a while',
    file: 'mgr/rights.ts',
    right: 'if (isAnswered) this.#options.lends().returned(handle);',
    wrong: 'this.#options.lends().returned(handle);',
    noticedBy: ['test/mgr/lends-lost.test.ts'],
  },
  {
    title: 'a client that owes a lent file counts as back before it has settled it',
    file: 'mgr/sessions.ts',
    right: 'if (session.owes || !this.#missing.delete(session)) return;',
    wrong: 'if (!this.#missing.delete(session)) return;',
    noticedBy: ['test/mgr/lends-lost.test.ts'],
  },
  {
    title: 'a change that is made anew lends what it had made before',
    file: 'mgr/exactly-once.ts',
    right: '    call.begin();\n',
    wrong: '',
    noticedBy: ['test/mgr/lends.test.ts', 'test/sim/lent-files.test.ts'],
  },
  {
    title: 'a lent file that was given back before the answer to its open has come is kept',
    file: 'client/lent-files.ts',
    right:
      'if (asking.isOver || asking.recalled.has(attr.handle) || !this.#options.isValid()) return;',
    wrong: 'if (asking.isOver || !this.#options.isValid()) return;',
    noticedBy: ['test/client/lent-files.test.ts'],
  },
  {
    title:
      'what settles a lent file with its close is not declared after a loss of the host of the mgr',
    file: 'client/declared-opens.ts',
    right: 'new Set([fileOps.close.code, fileOps.settle.code])',
    wrong: 'new Set([fileOps.close.code])',
    noticedBy: ['test/client/declared-opens.test.ts'],
  },
];
