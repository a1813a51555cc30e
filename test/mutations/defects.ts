/**
 * Defects that somebody could make in what recovery rests on. Each is one change of one place, and
 * the tests named with it must fail when it is there: they are the proof that they prove anything.
 */

import { lentDefects } from './lent-defects.ts';
import { holeDefects } from './hole-defects.ts';
import { rightDefects } from './right-defects.ts';
import { smallReadDefects } from './small-read-defects.ts';

export interface Defect {
  /** What is wrong then, in the words of the field. */
  readonly title: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly right: string;
  readonly wrong: string;
  /** Files of tests that must notice. */
  readonly noticedBy: readonly string[];
}

export const defects: readonly Defect[] = [
  {
    title: 'an iod listens before it has synced (SCENARIOS 29)',
    file: 'iod/iod-server.ts',
    right: 'const failure = await outcome;',
    wrong: "await this.#serve('too early');\n    const failure = await outcome;",
    noticedBy: ['test/iod/iod.test.ts'],
  },
  {
    title: 'an iod swaps its new table in before the mgr has confirmed it (SCENARIOS 33)',
    file: 'iod/resync.ts',
    right: 'await confirm(connection, rebuild, parts);',
    wrong: 'lease.renew(0);',
    noticedBy: ['test/iod/resync.test.ts'],
  },
  {
    title: 'an iod forgets the changes that came while it took the snapshot (SCENARIOS 34)',
    file: 'iod/open-table.ts',
    right: 'if (this.#closed) this.add(entries);',
    wrong: 'if (this.#closed) return true;',
    noticedBy: ['test/iod/open-table.test.ts'],
  },
  {
    title: 'a late entry of the snapshot beats a newer change (SCENARIOS 35)',
    file: 'iod/open-table.ts',
    right: 'if (known !== undefined && entry.sequence < known.sequence) return;',
    wrong: '',
    noticedBy: ['test/iod/open-table.test.ts'],
  },
  {
    title: 'an iod that starts believes what it has written down of its open table',
    file: 'iod/compare-opens.ts',
    right: 'isSameDigest(range, digests[at] ?? range)',
    wrong: 'range.upTo >= 0',
    noticedBy: ['test/iod/compare-opens.test.ts'],
  },
  {
    title: 'the digest of opens does not tell another right',
    file: 'shared/open-digest.ts',
    right: 'mixed = mix(mixed, rights, lane.factor);',
    wrong: '',
    noticedBy: ['test/shared/open-digest.test.ts'],
  },
  {
    title: 'an iod takes changes although some before them are missing',
    file: 'iod/open-table.ts',
    right: 'if (after > known) return false;\n      this.#upTo',
    wrong: 'this.#upTo',
    noticedBy: ['test/iod/open-table.test.ts'],
  },
  {
    title: 'an iod takes a cap that the mgr has taken back',
    file: 'iod/open-table.ts',
    right: "return this.isCurrent ? 'stale' : 'resyncing';",
    wrong: "return this.isCurrent ? 'admitted' : 'resyncing';",
    noticedBy: ['test/iod/open-table.test.ts'],
  },
  {
    title: 'an iod takes a cap of another session (SCENARIOS 184)',
    file: 'iod/access.ts',
    right: 'if (cap.body.session !== session) {',
    wrong: 'if (session === undefined) {',
    noticedBy: ['test/iod/access.test.ts'],
  },
  {
    title: 'an iod takes a forged cap',
    file: 'iod/access.ts',
    right: 'if (!isGenuineCap(this.#secret, cap)) {',
    wrong: 'if (cap.signature.length === 0) {',
    noticedBy: ['test/iod/access.test.ts'],
  },
  {
    title: 'an iod serves on when its lease has ended (SCENARIOS 134)',
    file: 'iod/access.ts',
    right: '    this.#lease.check();\n',
    wrong: '',
    noticedBy: ['test/iod/access.test.ts', 'test/iod/iod.test.ts'],
  },
  {
    title: 'a lease counts from when the answer came, not from when it was asked for',
    file: 'iod/lease.ts',
    right: 'sentAt + limits.iodLeaseMs',
    wrong: 'this.#clock.now() + limits.iodLeaseMs + 0 * sentAt',
    noticedBy: ['test/iod/lease.test.ts'],
  },
  {
    title: 'a fenced session keeps its rights at the iod (SCENARIOS 113)',
    file: 'iod/access.ts',
    right: '    this.#table.drop(session);\n',
    wrong: '',
    noticedBy: ['test/iod/access.test.ts'],
  },
  {
    title: 'a loss of acknowledged writes is not told at fsync (SCENARIOS 4)',
    file: 'client/dirty.ts',
    right: 'if (this.#verifiers.size === 1 && this.#verifiers.has(verifier)) return;',
    wrong: 'if (this.#verifiers.size > 0) return;',
    noticedBy: ['test/client/recovery.test.ts', 'test/client/file.test.ts'],
  },
  {
    title: 'the verifier of an iod outlives a failed sync (SCENARIOS 218)',
    file: 'iod/verifier.ts',
    right: '${bootId} ${storeId} ${losses}',
    wrong: '${bootId} ${storeId} ${losses * 0}',
    noticedBy: ['test/iod/ops/data.test.ts'],
  },
  {
    title: 'a mutation is sent again without its number',
    file: 'shared/rpc/link.ts',
    right: 'if (call.placed && call.carrier === undefined) this.#submit(call);',
    wrong: 'if (call.placed && call.carrier === undefined) call.sequence++, this.#submit(call);',
    noticedBy: ['test/shared/rpc/link.test.ts'],
  },
  {
    title: 'a change that its caller has given up is forgotten, made or not (SCENARIOS 118)',
    file: 'shared/rpc/link.ts',
    right: 'else if (isChange(call) && call.placed',
    wrong: 'else if (call.attempts < 0 && call.placed',
    noticedBy: ['test/sim/given-up.test.ts'],
  },
  {
    title: 'a change that has waited is made although nobody wants it any more (SCENARIOS 118)',
    file: 'mgr/exactly-once.ts',
    right: '    this.#requireWanted(call);\n',
    wrong: '',
    noticedBy: ['test/mgr/exactly-once.test.ts'],
  },
  {
    title: 'a write does not wait for a truncation that was given up (SCENARIOS 118)',
    file: 'client/given-up-cuts.ts',
    right: 'return this.#pending.has(handle);',
    wrong: 'return false;',
    noticedBy: ['test/sim/given-up.test.ts'],
  },
  {
    title: 'a call in flight is lost with its connection',
    file: 'shared/rpc/link.ts',
    right: 'if (call.placed && call.carrier === undefined) this.#submit(call);',
    wrong: '',
    noticedBy: ['test/shared/rpc/link.test.ts'],
  },
  {
    title: 'a write is sent again although it must not be',
    file: 'shared/rpc/link.ts',
    right: "const mayResend = call.op.traits.resend !== 'never';",
    wrong: 'const mayResend = true;',
    noticedBy: ['test/shared/rpc/link.test.ts'],
  },
  {
    title: 'a new connection does not fence the earlier one of the same session',
    file: 'shared/rpc/acceptor.ts',
    right: "earlier.close(new FsError('EPIPE', { what: 'a newer connection has taken over' }));",
    wrong: '',
    noticedBy: ['test/shared/rpc/acceptor.test.ts'],
  },
  {
    title: 'two ends of a connection need not be at the same name',
    file: 'shared/runtime/abstract-name.ts',
    right: '? `${loopbackId} ${endpoint.path}`',
    wrong: '? loopbackId.slice(0, 0)',
    noticedBy: ['test/shared/rpc/link-places.test.ts'],
  },
  {
    title: 'a mgr that does not get its port keeps its name',
    file: 'shared/rpc/acceptor.ts',
    right: 'await Promise.all(listeners.map((listener) => listener.close()));\n      throw error;',
    wrong: 'throw error;',
    noticedBy: ['test/mgr/daemon.test.ts'],
  },
  {
    title: 'a late connection takes over from a later one',
    file: 'shared/rpc/acceptor.ts',
    right: 'if (earlier.peer.incarnation > peer.incarnation) {',
    wrong: 'if (earlier === connection) {',
    noticedBy: ['test/shared/rpc/acceptor.test.ts'],
  },
  {
    title: 'a silent peer is waited for without end (SCENARIOS 60)',
    file: 'shared/rpc/connection.ts',
    right: 'if (silentMs > limits.heartbeatSilenceMs) {',
    wrong: 'if (silentMs === Infinity) {',
    noticedBy: ['test/shared/rpc/heartbeat.test.ts'],
  },
  {
    title: 'a mgr of an earlier generation is obeyed',
    file: 'shared/rpc/epoch-watch.ts',
    right: "if (from === 'mgr' && epoch.generation < this.#newest.generation) return false;",
    wrong: '',
    noticedBy: ['test/shared/rpc/epoch-watch.test.ts'],
  },
  {
    title: 'a damaged payload is taken',
    file: 'shared/rpc/service.ts',
    right: 'if (checksumOf(payload) !== envelope.payloadChecksum) {',
    wrong: 'if (payload.length > 1_000_000) {',
    noticedBy: ['test/shared/rpc/payload.test.ts', 'test/shared/rpc/calls.test.ts'],
  },
  {
    title: 'a mutation that is asked for twice is done twice',
    file: 'mgr/exactly-once.ts',
    right: 'return sequence === stored.sequence ? this.#again(call, stored) : unanswered;',
    wrong: 'if (sequence !== stored.sequence) return unanswered;',
    noticedBy: ['test/mgr/exactly-once.test.ts'],
  },
  {
    title: 'a reply is not stored with its change (DESIGN promise 5)',
    file: 'mgr/exactly-once.ts',
    right: 'replies.put({ session: who.session, slot, sequence, op: op.code, body });',
    wrong: '',
    noticedBy: ['test/mgr/exactly-once.test.ts'],
  },
  {
    title: 'answers leave before the commit',
    file: 'mgr/committer.ts',
    right: '    this.#answers.push(answer);\n',
    wrong: '    answer.send();\n',
    noticedBy: ['test/mgr/mgr.test.ts', 'test/mgr/exactly-once.test.ts'],
  },
  {
    title: 'a failed commit leaves its changes in memory',
    file: 'mgr/committer.ts',
    right: 'for (const participant of participants) participant.discard();',
    wrong: '',
    noticedBy: ['test/mgr/exactly-once.test.ts'],
  },
  {
    title: 'the count of opens is not lowered at close (MISSION A3)',
    file: 'mgr/open-table.ts',
    right: 'const readers = (before?.readers ?? 0) - (given & rights.read ? 1 : 0);',
    wrong: 'const readers = before?.readers ?? 0;',
    noticedBy: ['test/mgr/open-table.test.ts'],
  },
  {
    title: 'an unlinked file stays when its last holder has gone',
    file: 'mgr/ops/release.ts',
    right: 'if (inode?.links === 0) removeInode(view, inode);',
    wrong: 'if (inode?.links === -1) removeInode(view, inode);',
    noticedBy: ['test/mgr/files.test.ts'],
  },
  ...lentDefects,
  ...smallReadDefects,
  ...holeDefects,
  {
    title: 'a call that is made upon a loss makes a second connection',
    file: 'shared/rpc/link.ts',
    right: "    this.#state = 'waiting';\n    const { recorder, clock } = runtime;",
    wrong: "    this.#state = 'idle';\n    const { recorder, clock } = runtime;",
    noticedBy: ['test/shared/rpc/link.test.ts'],
  },
  {
    title: 'the rights of a dead client go before the iods have fenced it (SCENARIOS 113)',
    file: 'mgr/session-end.ts',
    right: 'await cluster.fence(session.session);',
    wrong: 'void cluster.fence(session.session);',
    noticedBy: ['test/mgr/files.test.ts', 'test/mgr/sessions.test.ts'],
  },
  {
    title: 'an iod that syncs anew counts as fenced',
    file: 'mgr/cluster/fencing.ts',
    right: 'for (const { acknowledged } of this.#fences.values()) acknowledged.delete(index);',
    wrong: '',
    noticedBy: ['test/mgr/cluster/fencing.test.ts'],
  },
  {
    title: 'an iod serves before it has cut what was truncated meanwhile (SCENARIOS 14)',
    file: 'mgr/cluster/iod-sync.ts',
    right: '    await this.#reaper.truncateAll(connection, index);\n',
    wrong: '',
    noticedBy: ['test/mgr/cluster/iod-sync.test.ts', 'test/mgr/cluster/cluster.test.ts'],
  },
  {
    title: 'a sync goes on although the membership has changed (DESIGN 4)',
    file: 'mgr/cluster/iod-sync.ts',
    right: 'if (compareEpochs(sync.epoch, this.#roster.epoch) !== 0) throw restarted();',
    wrong: '',
    noticedBy: ['test/mgr/cluster/iod-sync.test.ts'],
  },
  {
    title: 'pending work is forgotten before the iod has done it',
    file: 'mgr/cluster/reaper.ts',
    right:
      'await connection.call(iodOps.remove, { handles }, { deadline: this.#deadline() });\n    await this.#delete(removals);',
    wrong:
      'await this.#delete(removals);\n    await connection.call(iodOps.remove, { handles }, { deadline: this.#deadline() });',
    noticedBy: ['test/mgr/cluster/reaper.test.ts'],
  },
  {
    title: 'the lease of a lost client ends at once',
    file: 'mgr/sessions.ts',
    right: 'const endedBefore = this.#options.clock.now() - this.leaseMs;',
    wrong: 'const endedBefore = this.#options.clock.now();',
    noticedBy: ['test/mgr/sessions.test.ts'],
  },
  {
    title: 'an iod with an empty disk is let in under its old name (SCENARIOS 27)',
    file: 'mgr/membership.ts',
    right: "id: 'WEFT_E_STORE_REPLACED'",
    wrong: "id: 'WEFT_E_STORE_OLDER'",
    noticedBy: ['test/mgr/membership.test.ts'],
  },
  ...rightDefects,
];
