/** Of files and directories that are lent to the mounts that make them (decisions 20 and 21). */
import type { Defect } from './defects.ts';

export const lentDefects: readonly Defect[] = [
  {
    title: 'a lent file is shown without what its client has done to it',
    file: 'mgr/lends.ts',
    right: '    if (back !== undefined) throw new LentError(handle, back);\n',
    wrong: '    void back;\n',
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
  {
    title: 'the mgr hears that a directory is gone before it knows that it is empty',
    file: 'client/untold-names.ts',
    right: '    while (directory.going.size > 0) {\n',
    wrong: '    while (directory.going.size > Infinity) {\n',
    noticedBy: ['test/client/lent-directories-gone.test.ts'],
  },
  {
    title: 'an open that has lent a file, and comes again, asks its own client for it',
    file: 'mgr/file-sizes.ts',
    right:
      'const inode = view.stored(handle);\n    if (inode === undefined) return undefined;\n    if (store',
    wrong:
      'const inode = view.inode(handle);\n    if (inode === undefined) return undefined;\n    if (store',
    noticedBy: ['test/mgr/lends.test.ts'],
  },
  {
    title: 'after a restart of the mgr a lent directory is shown without what was made in it',
    file: 'mgr/mgr-server.ts',
    right:
      "    this.#lends.load(store.lent(), (handle) => this.#view.stored(handle)?.kind === 'directory');\n",
    wrong: '',
    noticedBy: ['test/mgr/lent-directories-lost.test.ts'],
  },
  {
    title: 'what was made in a lent directory is shown while its client may know more of it',
    file: 'mgr/ops/settle-names.ts',
    right: "when: 'always'",
    wrong: "when: 'if-room'",
    noticedBy: ['test/mgr/lent-directories-lost.test.ts'],
  },
  {
    title: 'a directory is moved while files are made below it as if it stayed where it is',
    file: 'mgr/ops/names/rename.ts',
    right: 'inode.parent !== parent) view.requireNothingMadeBelow();',
    wrong: 'inode.parent === parent) view.requireNothingMadeBelow();',
    noticedBy: ['test/mgr/lent-directories.test.ts'],
  },
  {
    title: 'handles that a client makes something of by itself are given to others too',
    file: 'mgr/store/counters.ts',
    right: '    this.#next += count;\n',
    wrong: '',
    noticedBy: ['test/mgr/lent-names.test.ts'],
  },
  {
    title: 'a new open file is made while the mgr still has what had its name before',
    file: 'client/untold-names.ts',
    right:
      '    while (open().some(({ name }) => directory.removed.has(name))) await this.#send(directory, []);\n',
    wrong: '',
    noticedBy: ['test/client/lent-names-gone.test.ts'],
  },
  {
    title: 'what replaces a file is told when that is gone already',
    file: 'client/untold-names.ts',
    right: '.filter(([name]) => !isReplaced(name))',
    wrong: '.filter(([name]) => !isReplaced(name) || true)',
    noticedBy: ['test/client/lent-names-moved.test.ts'],
  },
  {
    title: 'what is in a new directory is told before the directory',
    file: 'client/untold-names.ts',
    right: '      await unborn.over;\n',
    wrong: '',
    noticedBy: ['test/client/lent-names.test.ts'],
  },
  {
    title: 'who waits for a file does not wait where it was moved to',
    file: 'client/lent-names.ts',
    right: 'waits.push(this.#untold.tellOf(handle));',
    wrong: 'waits.push(this.#untold.tell(changed, true));',
    noticedBy: ['test/client/lent-names-moved.test.ts'],
  },
  {
    title: 'the mgr is asked for what it was not told of yet',
    file: 'client/handle-access.ts',
    right: '    if (inTheWay !== undefined) await this.untilTold(inTheWay, control);\n',
    wrong: '    void inTheWay;\n',
    noticedBy: ['test/sim/lent-directories.test.ts'],
  },
  {
    title: 'a lent directory is given back before all that was made there is told',
    file: 'client/lent-names.ts',
    right: '    if (!isAll) await Promise.all(going);\n',
    wrong: '    void going;\n',
    noticedBy: ['test/client/lent-names-back.test.ts'],
  },
  {
    title: 'a directory is asked for again while it is being borrowed',
    file: 'client/lent-names.ts',
    right: '    if (this.#borrowing.has(directory)) return false;\n',
    wrong: '',
    noticedBy: ['test/client/borrowed-directories.test.ts'],
  },
  {
    title: 'a directory is lent that others may cache',
    file: 'mgr/rights.ts',
    right:
      'return (this.#byHandle.get(handle) ?? []).every((holder) => holder.connection === connection);',
    wrong: 'return true;',
    noticedBy: ['test/mgr/borrowed-directories.test.ts'],
  },
  {
    title: 'what was taken away in a lent directory is so after what was made there',
    file: 'mgr/ops/settle-names.ts',
    right: `    const gone = request.removed.filter((name) => remove(lends, call, directory, name));
    const contents = contentsOf(request);
    const inodes = made.map((one, i) => make(call, directory, one, contents[i] ?? noBytes));
`,
    wrong: `    const contents = contentsOf(request);
    const inodes = made.map((one, i) => make(call, directory, one, contents[i] ?? noBytes));
    const gone = request.removed.filter((name) => remove(lends, call, directory, name));
`,
    noticedBy: ['test/mgr/lent-names-gone.test.ts'],
  },
  {
    title: 'a directory that was taken away is answered for before the mgr knows that',
    file: 'client/lent-names.ts',
    right: '(this.#untold.whereOf(handle) && this.settle(handle)) ?? []',
    wrong: '[]',
    noticedBy: ['test/client/lent-directories-gone.test.ts'],
  },
  {
    title: 'who makes a file after a restart waits for itself to be back',
    file: 'mgr/exactly-once.ts',
    right: 'if (attr !== undefined && made === undefined) lends.requireKnown(attr);',
    wrong: 'if (attr !== undefined) lends.requireKnown(attr);',
    noticedBy: ['test/mgr/lent-directories-lost.test.ts', 'test/sim/lent-directories.test.ts'],
  },
];
