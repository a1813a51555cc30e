/** Two processes that record a conversation as a connection of ours would. */
import { recordKinds, type RecordKind } from '../../../shared/trace/record.ts';
import { About, Recorder } from '../../../shared/trace/recorder.ts';
import type { RingInfo } from '../../../shared/trace/ring-header.ts';
import { Ring } from '../../../shared/trace/ring.ts';

export interface Clock {
  /** What its monotonic clock shows at time 0. */
  readonly hostMs: number;
  /** What its wall clock shows at time 0. */
  readonly wallMs: number;
}

/** A process whose time is given, and its clocks with it. */
export class RecordingProcess {
  readonly recorder: Recorder;

  constructor(
    info: Pick<RingInfo, 'role' | 'name' | 'boot'>,
    { hostMs, wallMs }: Clock,
    size = 64,
  ) {
    const anchor = { atMs: 0, hostMs, wallMs };
    this.recorder = new Recorder(size, { ...info, pid: 1, anchor });
  }

  get ring(): Ring {
    return new Ring(this.recorder.image);
  }

  /** @param message its tag; its connection is 5 */
  note(kind: RecordKind, atMs: number, message = 0, fields: { op?: number; bytes?: number } = {}) {
    const about = new About({ connection: 5, tag: message, op: 301, ...fields });
    this.recorder.note(kind, atMs, 'peer', about);
  }
}

/**
 * Each asks the other, with the same tags.
 * @param delays of the four messages
 */
export function converse(
  client: RecordingProcess,
  server: RecordingProcess,
  at: number,
  tag: number,
  [there, back] = [1, 1],
): void {
  client.note(recordKinds.requestSent, at, tag, { bytes: 10 });
  server.note(recordKinds.requestReceived, at + there, tag, { bytes: 10 });
  server.note(recordKinds.replySent, at + there + 1, tag);
  client.note(recordKinds.replyReceived, at + there + 1 + back, tag);
}
