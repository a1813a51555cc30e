/**
 * The thread that reads files of other processes for shared-files.ts, one order after another. It
 * does nothing else, so a disk that hangs holds up nothing but it. A program of its own; nothing
 * imports it.
 */
import * as fs from 'node:fs';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { LookOrSleep, lookMs } from './look-or-sleep.ts';
import {
  asleep,
  carriedOut,
  entryFields,
  failed,
  field,
  given,
  kind,
  type OpenOrder,
  ringEntries,
  type RingMemory,
  told,
} from './shared-ring.ts';

const { port, memory } = workerData as { readonly port: MessagePort; readonly memory: RingMemory };
const { control, entries, slots, slotBytes } = memory;
const markBytes = Buffer.alloc(8);
// Reading leaves no trace on the disk: a journal that hangs holds nobody up.
const { O_RDONLY, O_NOFOLLOW, O_NOATIME } = fs.constants;

function open(): number {
  const order = receiveMessageOnPort(port)?.message as OpenOrder;
  const fd = fs.openSync(order.path, O_RDONLY | O_NOFOLLOW | O_NOATIME);
  const stat = fs.fstatSync(fd, { bigint: true });
  if (stat.isFile() && `${stat.dev}:${stat.ino}` === order.identity) return fd;
  fs.closeSync(fd);
  return failed;
}

/** What the mark says behind the read was true all through it. */
function read(at: number): number {
  const length = entries[at + field.length] ?? 0;
  const position = entries[at + field.position] ?? 0;
  const slot = (entries[at + field.slot] ?? 0) * slotBytes;
  const fd = entries[at + field.fd] ?? failed;
  let done = 0;
  while (done < length) {
    const count = fs.readSync(fd, slots, slot + done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  const isMarked =
    fs.readSync(entries[at + field.markFd] ?? failed, markBytes, 0, 8, 0) === 8 &&
    markBytes.readDoubleLE() === entries[at + field.markValue];
  return isMarked ? done : failed;
}

function carryOut(at: number): number {
  try {
    const order = entries[at + field.kind];
    if (order === kind.read) return read(at);
    if (order === kind.open) return open();
    fs.closeSync(entries[at + field.fd] ?? failed);
    return 0;
  } catch {
    return failed; // Whoever has the file tells why.
  }
}

const waits = new LookOrSleep();

/** Until more orders were given than were done. */
function waitForOrders(done: number): void {
  const begun = performance.now();
  const lookUntil = waits.begin() ? begun + lookMs : begun;
  while (Atomics.load(control, given) === done) {
    if (performance.now() < lookUntil) continue;
    Atomics.store(control, asleep, 1);
    Atomics.wait(control, given, done);
    Atomics.store(control, asleep, 0);
  }
  waits.ended(performance.now() - begun);
}

for (let done = 0; ;) {
  if (Atomics.load(control, given) === done) waitForOrders(done);
  const at = (done & (ringEntries - 1)) * entryFields;
  const begun = performance.now();
  entries[at + field.result] = carryOut(at);
  entries[at + field.tookMs] = performance.now() - begun;
  done = (done + 1) | 0;
  Atomics.store(control, carriedOut, done);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, a port
  if (Atomics.exchange(control, told, 1) === 0) port.postMessage(0);
}
