/** The metrics that a mgr and an iod have alike. */
import type { RecoveryLog } from '../recovery-log.ts';
import type { Acceptor } from '../rpc/acceptor.ts';
import type { EpochWatch } from '../rpc/epoch-watch.ts';
import { version } from '../version.ts';
import type { RecoveryState } from '../wire/values.ts';
import type { MetricOf, Readings } from './readings.ts';
import type { RequestMeter } from './request-meter.ts';

export interface DaemonFigures {
  readonly role: 'mgr' | 'iod';
  readonly name: string;
  readonly state: string;
  /** All that it may be in. */
  readonly states: readonly string[];
  readonly epochs: Pick<EpochWatch, 'newest'>;
  readonly acceptor: Pick<Acceptor, 'acceptedPeers' | 'connectionCount' | 'load' | 'refusedPeers'>;
  readonly meter: Pick<RequestMeter, 'durations' | 'errors'>;
  /** The one that runs. */
  readonly recovery: RecoveryState | undefined;
  readonly recoveries: Pick<RecoveryLog, 'latest'>;
}

type Common = Extract<MetricOf<'mgr'>, MetricOf<'iod'>>;

export function daemonReadings(figures: DaemonFigures): Readings<Common> {
  const { role, name, state, states, epochs, acceptor, meter, recovery } = figures;
  const { requestsRunning, sendQueueBytes } = acceptor.load();
  const { latest } = figures.recoveries;
  return {
    weftfs_build_info: [{ labels: { role, name, version }, value: 1 }],
    weftfs_state: oneOf(states, state).map(([one, value]) => ({ labels: { state: one }, value })),
    weftfs_generation: epochs.newest.generation,
    weftfs_epoch_number: epochs.newest.number,
    weftfs_connections: acceptor.connectionCount,
    weftfs_connections_accepted_total: acceptor.acceptedPeers,
    weftfs_refused_peers_total: acceptor.refusedPeers,
    weftfs_send_queue_bytes: sendQueueBytes,
    weftfs_request_duration_seconds: meter.durations(),
    weftfs_request_errors_total: meter.errors(),
    weftfs_requests_running: requestsRunning,
    weftfs_recovery_running: recovery ? [{ labels: { phase: recovery.phase }, value: 1 }] : [],
    weftfs_recovery_elapsed_seconds: (recovery?.elapsedMs ?? 0) / 1000,
    weftfs_recoveries_total: latest?.number ?? 0,
    weftfs_last_recovery_duration_seconds: latest
      ? [{ labels: { cause: latest.cause, outcome: latest.outcome }, value: latest.tookMs / 1000 }]
      : [],
    weftfs_last_recovery_phase_duration_seconds: (latest?.phases ?? []).map(
      ({ name: phase, tookMs }) => ({ labels: { phase }, value: tookMs / 1000 }),
    ),
  };
}

/** 1 for the one that is the case, 0 for all others. */
export function oneOf(all: readonly string[], actual: string): (readonly [string, number])[] {
  return all.map((one) => [one, one === actual ? 1 : 0] as const);
}
