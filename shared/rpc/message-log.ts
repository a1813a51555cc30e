/** Every message of a connection as a line of the log, at level debug. Nothing happens otherwise. */
import { byteLengthOf } from '../byte-length.ts';
import { errnoName } from '../errno.ts';
import type { Logger } from '../runtime/runtime.ts';
import { decode } from '../wire/codec.ts';
import { type Envelope, kinds } from '../wire/envelope.ts';
import type { Op } from '../wire/op.ts';
import { opName } from '../wire/op-names.ts';
import { printMessage } from '../wire/printer.ts';

const printedCharsMax = 500;

/** The part of an envelope that is worth a line. */
type Head = Pick<Envelope, 'kind' | 'op' | 'tag' | 'status' | 'slot' | 'sequence'>;

export class MessageLog {
  readonly #log: Logger;
  readonly #peer: () => string;

  constructor(log: Logger, peer: () => string) {
    this.#log = log;
    this.#peer = peer;
  }

  /**
   * @param op `undefined` when nobody knows the message
   * @param value the fields, or their encoded form; `undefined` for a failure
   */
  note(
    way: 'sent' | 'received',
    head: Head,
    op: Op | undefined,
    value: unknown,
    payload: readonly Uint8Array[],
  ): void {
    const side = head.kind === kinds.request ? 'request' : 'reply';
    this.#log.debug(`${side} ${way}`, {
      peer: this.#peer(),
      op: opName(head.op),
      tag: head.tag,
      ...(head.sequence > 0 && { slot: head.slot, sequence: head.sequence }),
      ...(side === 'reply' && head.status > 0 && { errno: errnoName(head.status) }),
      ...(op !== undefined && value !== undefined && { fields: printed(op, side, value) }),
      ...(payload.length > 0 && { payloadBytes: byteLengthOf(payload) }),
    });
  }
}

function printed(op: Op, side: 'request' | 'reply', value: unknown): string {
  const fields = value instanceof Uint8Array ? decode(op[side], value) : value;
  return printMessage(op, side, fields, printedCharsMax);
}
