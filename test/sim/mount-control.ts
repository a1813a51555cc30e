/** What a request of a kernel brings to its handler, in a simulation: nobody gives it up, and memory is plenty. */
import type { RequestControl } from '../../client/fuse/in-flight.ts';

export const control: RequestControl = {
  signal: new AbortController().signal,
  room: (bytes) => Buffer.alloc(bytes),
  afterwards: () => undefined,
};
