/** `pingIods`: how long the iods take to answer the mgr. */
import type { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import type { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { MemberRecord } from '../membership.ts';
import type { Roster } from './roster.ts';

type PingReply = ReplyOf<typeof clusterOps.pingIods>;
type PingResult = PingReply['results'][number];

/** Never rejects: why an iod did not answer stands in its own result. */
export async function pingIods(clock: Clock, roster: Roster): Promise<PingReply> {
  return { results: await Promise.all(roster.all.map((member) => ping(clock, roster, member))) };
}

async function ping(clock: Clock, roster: Roster, member: MemberRecord): Promise<PingResult> {
  const { index } = member.row;
  const connection = roster.reachable(index);
  if (connection === undefined) return { index, microseconds: 0, failure: `it is ${member.state}` };
  const begun = clock.now();
  const deadline = begun + limits.heartbeatSilenceMs;
  return connection.call(linkOps.ping, {}, { deadline }).then(
    () => ({ index, microseconds: Math.round((clock.now() - begun) * 1000), failure: '' }),
    (error: FsError) => ({ index, microseconds: 0, failure: error.message.slice(0, 255) }),
  );
}
