/** What a request of a kernel brings to its handler, in a simulation: nobody gives it up, and memory is plenty. */
import type { RequestControl } from '../../client/fuse/in-flight.ts';

export const control: RequestControl = {
  signal: new AbortController().signal,
  room: (bytes) => Buffer.alloc(bytes),
  afterwards: () => undefined,
  keep: () => () => undefined,
};

const nothing = (): void => undefined;

/** From so many bytes on a mount copies none of a write: the next request comes to where they were. */
const deviceBytes = 64 * 1024;

/** Has a write served as a mount does, with the memory of `content` used again as soon as it may be. */
export async function serveWrite(
  content: Buffer,
  serve: (control: RequestControl) => unknown,
): Promise<void> {
  let run = nothing;
  const kept: Promise<void>[] = [];
  await serve({
    ...control,
    afterwards: (then) => {
      run = then;
    },
    keep: () => {
      let free = nothing;
      kept.push(
        new Promise((resolve) => {
          free = resolve;
        }),
      );
      return free;
    },
  });
  run();
  if (content.length >= deviceBytes) void Promise.all(kept).then(() => content.fill('~'));
}
