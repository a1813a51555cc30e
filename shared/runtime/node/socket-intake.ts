/**
 * Sockets that read into buffers of our choice. Public for sockets that connect (`onread` of
 * `net.connect`); for accepted ones Node has the same means, but no public way to ask for it: this
 * file is the only one that knows how, and does without when a Node version has it no more.
 */
import * as net from 'node:net';

export interface Intake {
  /** Where the next bytes shall go. Asked before each read. */
  nextBuffer(): Uint8Array;
  /** `bytes` were put at the start of `buffer`. @returns false to stop reading until `resume` */
  received(bytes: number, buffer: Uint8Array): boolean;
}

/** What `net.connect` and `new net.Socket` take as `onread`. */
export function onread(intake: Intake) {
  return {
    buffer: () => intake.nextBuffer(),
    callback: (bytes: number, buffer: Uint8Array) => intake.received(bytes, buffer),
  };
}

/** The property of a socket that holds what reads and writes for it. */
const handleName = '_handle';

/**
 * Takes over an accepted socket of which nothing more is to be read in another way.
 * @returns the socket to use from now on; it reads already. With buffers of the intake, or, when
 *   `ownBuffers` is false or this Node cannot do so, with Node's, which the intake gets as they are
 */
export function adopt(accepted: net.Socket, intake: Intake, ownBuffers = true): net.Socket {
  const handle = Reflect.get(accepted, handleName) as { useUserBuffer?: unknown } | null;
  if (!ownBuffers || typeof handle?.useUserBuffer !== 'function') {
    accepted.on('data', (piece: Buffer) => intake.received(piece.length, piece));
    return accepted;
  }
  Reflect.set(accepted, handleName, null);
  accepted.destroy();
  const options = { handle, onread: onread(intake), allowHalfOpen: true };
  return new net.Socket(options);
}
