/** A file that is written by somebody to whom it may be lent; what comes to the iods, and when that ends. */
import type { File } from '../../client/file.ts';
import { LentWrites, type LentWritesOptions, type WriteControl } from '../../client/lent-writes.ts';
import type { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import { ManualClock } from './manual-clock.ts';

export const handle = 7 as Handle;
export const chunk = limits.gatheredBytes;

/** A write that has come to the iods, which have not answered yet. */
interface Arrived {
  readonly at: number;
  readonly text: string;
  readonly end: (error?: Error) => void;
}

export const settle = () => new Promise((resolve) => setImmediate(resolve));

export function stage(answers: readonly { readonly lent: boolean }[] = [{ lent: true }]) {
  const clock = new ManualClock();
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await settle();
  };
  const asked: string[] = [];
  /** Where the mgr places the next one. */
  const mgr = { end: 0 };
  const rest = [...answers];
  const log: string[] = [];
  let lose: ((error: FsError) => void) | undefined;
  const session = {
    call: (op: unknown) => {
      asked.push(op === fileOps.borrow ? 'borrow' : 'look');
      return Promise.resolve({ attr: { size: mgr.end }, ...(rest.shift() ?? { lent: true }) });
    },
    onLost: (listener: (_: unknown, error: FsError) => void) => {
      lose = (error) => listener(undefined, error);
    },
    runtime: { clock, log: { error: (what: string) => log.push(what) } },
  };
  let isValid = true;
  const caching = {
    readyNow: () => (isValid ? {} : undefined),
    ready: () => Promise.resolve(isValid ? {} : undefined),
  };
  const asking = { recalled: new Set<Handle>(), isOver: false };
  const arrived: Arrived[] = [];
  /** Those of which nobody decides here when they end. */
  let isHeld = false;
  const file = {
    handle,
    isAtIods: true,
    write: (content: Uint8Array, place: number | 'end') =>
      new Promise((resolve, reject) => {
        const at = place === 'end' ? mgr.end : place;
        if (place === 'end') {
          asked.push('place');
          mgr.end += content.length;
        }
        const end = (error?: Error): void => {
          if (error) reject(error);
          else resolve({ position: at, bytesWritten: content.length });
        };
        arrived.push({ at, text: Buffer.from(content).toString(), end });
        if (!isHeld) end();
      }),
  } as unknown as File;
  const writes = new LentWrites({
    session,
    caching,
    recalls: { ask: () => asking, answered: () => undefined },
    open: [file],
  } as unknown as LentWritesOptions);
  let at = 0;
  /** The next piece in order. */
  const write = async (
    text: string,
    position = at,
    control: WriteControl = {},
  ): Promise<number> => {
    at = position + text.length;
    return (await writes.write(file, Buffer.from(text), position, control)).bytesWritten;
  };
  /** As many as it takes until it is lent. */
  const warm = async (): Promise<void> => {
    // The next one begins where it is easy to count from.
    const length = limits.gatheredAfterBytes / limits.gatheredAfter;
    at = chunk + 5 - limits.gatheredAfterBytes;
    for (let i = 0; i < limits.gatheredAfter; i++) await write('-'.repeat(length));
    await settle();
    arrived.length = 0;
  };
  const append = (text: string) => writes.write(file, Buffer.from(text), 'end', {});
  /** As many as it takes until it is lent. */
  const appendUntilLent = async (): Promise<void> => {
    for (let i = 0; i <= limits.gatheredAfter; i++) await append('-');
    await settle();
    arrived.length = 0;
    asked.length = 0;
  };
  const hold = (): void => {
    isHeld = true;
  };
  const lapse = (): void => {
    isValid = false;
  };
  return {
    writes,
    file,
    write,
    warm,
    append,
    appendUntilLent,
    mgr,
    arrived,
    asked,
    asking,
    pass,
    hold,
    lapse,
    log,
    lost: (error: FsError) => lose?.(error),
  };
}
