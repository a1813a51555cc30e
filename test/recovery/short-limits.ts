/** Leases, heartbeats and timeouts for tests that must wait for them, in the same relations to each other. */
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

type WaitLimits = Record<(typeof waits)[number], number>;

/** A tenth of the real ones. */
export const shortLimits = dividedBy(10) satisfies Limits;

/** A fifth: for who must be back within one of them, however busy the host is. */
export const patientLimits = dividedBy(5) satisfies Limits;

function dividedBy(divisor: number): WaitLimits {
  return Object.fromEntries(waits.map((name) => [name, limits[name] / divisor])) as WaitLimits;
}
