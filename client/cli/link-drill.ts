/** What is cut or slow for a while: the mgr or the iod does it, and ends it by itself. */
import { limits } from '../../shared/limits.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import { connect, type ConnectOptions } from '../connect.ts';
import { type Arguments, UsageError } from './arguments.ts';

export const linkFaults = ['cut', 'slow'] as const;
export type LinkFault = (typeof linkFaults)[number];

export interface LinkDrill {
  /** `slow-answers`: the iod, for its clients; the others: its link to the mgr. */
  readonly fault: RequestOf<typeof clusterOps.drill>['fault'];
  readonly iod: string;
  readonly seconds: number;
  /** Of what is slow. */
  readonly delayMs: number | undefined;
}

const secondsDefault = 10;
const delayMsDefault = 200;

/** @throws UsageError when these are neither an iod nor the two ends of a link */
export function linkDrillOf(given: Arguments, fault: LinkFault): LinkDrill {
  const [, ...ends] = given.operands;
  const [iod, ...others] = ends.filter((name) => name !== 'mgr');
  if (iod === undefined || others.length > 0 || ends.length > 2) {
    throw new UsageError(
      'this takes an iod, or the mgr and an iod for the link between them',
      `weft chaos ${fault} mgr iod1 --for 10`,
    );
  }
  const delayMs = given.count('by', { min: 1, max: limits.drillDelayMaxMs });
  if (delayMs !== undefined && fault === 'cut') {
    throw new UsageError('what is cut is not late', 'weft chaos slow mgr iod1 --by 200');
  }
  return {
    fault: fault === 'slow' && ends.length === 1 ? 'slow-answers' : fault,
    iod,
    seconds: given.count('for', { min: 1, max: limits.drillSecondsMax }) ?? secondsDefault,
    delayMs: fault === 'slow' ? (delayMs ?? delayMsDefault) : undefined,
  };
}

/** @throws FsError; UsageError when the cluster has no such iod */
export async function beginLinkDrill(
  url: string,
  options: ConnectOptions,
  { fault, iod, seconds, delayMs = 0 }: LinkDrill,
): Promise<void> {
  await using fs = await connect(url, options);
  const members = await fs.members();
  const member = members.find(({ name }) => name === iod);
  if (member === undefined) {
    const known = members.map(({ name }) => name).join(', ');
    throw new UsageError(`there is no iod '${iod}'`, `one of ${known}`);
  }
  const { clock } = fs.session.runtime;
  const deadline = clock.now() + limits.connectTimeoutMs;
  const request = { iod: member.index, fault, delayMs, seconds };
  await fs.session.call(clusterOps.drill, request, { deadline });
}
