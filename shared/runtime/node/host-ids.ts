/** What tells hosts, their starts and their network namespaces apart. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';

/**
 * The same for all processes on a host, another one on another. Hashed, for systemd asks not to
 * show the id itself over a network (machine-id(5)).
 */
export function readHostId(): string {
  const id = readId('/etc/machine-id') ?? readId('/proc/sys/kernel/random/boot_id') ?? hostname();
  return createHash('sha256').update(`weftfs ${id}`).digest('hex').slice(0, 32);
}

/** Where the system has none, the time of its start, which a change of the clock may move. */
export function readBootId(): string {
  const startedAt = Math.round(Date.now() / 1000 - uptime());
  return readId('/proc/sys/kernel/random/boot_id') ?? `started at ${startedAt}`;
}

let loopbackId: string | undefined;

/** Starts of hosts differ, and so do the network namespaces of one. A process stays in its own. */
export function readLoopbackId(): string {
  loopbackId ??= findLoopbackId();
  return loopbackId;
}

function findLoopbackId(): string {
  if (process.platform !== 'linux') return '';
  try {
    const namespace = readlinkSync('/proc/self/ns/net');
    return createHash('sha256').update(`weftfs ${readBootId()} ${namespace}`).digest('hex');
  } catch {
    return ''; // Without /proc there is TCP, as on other systems.
  }
}

function readId(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined; // Containers often have none; the next source is as good.
  }
}
