/**
 * Leases, heartbeats and timeouts for tests that must wait for them: a tenth of the real ones, in
 * the same relations to each other.
 */
import { limits } from '../../shared/limits.ts';
import type { Limits } from '../system/daemon.ts';

const waits = [
  'authenticationTimeoutMs',
  'connectTimeoutMs',
  'heartbeatIntervalMs',
  'heartbeatSilenceMs',
  'sessionLeaseMs',
  'iodLeaseMs',
  'iodLeaseAtMgrMs',
  'reclaimWindowMs',
  'reconnectDelayMaxMs',
] as const;

export const shortLimits = Object.fromEntries(
  waits.map((name) => [name, limits[name] / 10]),
) as Record<(typeof waits)[number], number> satisfies Limits;
