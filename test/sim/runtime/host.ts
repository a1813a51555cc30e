/** A simulated machine: address, clock, disk, power. What runs on it is in `process.ts`. */
import assert from 'node:assert/strict';
import { HostClock } from './clock.ts';
import { HostDisk } from './host-disk.ts';
import type { Kernel } from './kernel.ts';
import type { BoundListener } from './network.ts';
import type { SimProcess } from './process.ts';

export class Host {
  readonly name: string;
  /** Its numeric address. */
  readonly address: string;
  readonly clock: HostClock;
  readonly disk: HostDisk;
  /** By `listenerKey`. */
  readonly listeners = new Map<string, BoundListener>();
  readonly processes = new Set<SimProcess>();
  readonly #kernel: Kernel;
  #isUp = true;
  #boots = 1;

  constructor(kernel: Kernel, name: string, address: string) {
    this.#kernel = kernel;
    this.name = name;
    this.address = address;
    const random = kernel.random.fork(`host ${name}`);
    this.clock = new HostClock(kernel.timeline, random.fork('clock'));
    this.disk = new HostDisk(kernel.timeline, random.fork('disk'), this.clock);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Another one after each power loss. */
  get bootId(): string {
    return `${this.name} boot ${this.#boots}`;
  }

  /** Everything stops at once, nobody is told, and what was not synced may be lost. */
  powerLoss(): void {
    assert(this.#isUp, `host ${this.name} has no power`);
    this.#isUp = false;
    this.#kernel.note(this.name, 'power loss');
    this.#kernel.network.hostLostPower(this);
    for (const process of this.processes) process.end('power-loss');
    this.disk.powerLoss();
  }

  /** The machine is back; its processes are started one by one. */
  powerOn(): void {
    assert(!this.#isUp, `host ${this.name} has power`);
    this.#isUp = true;
    this.#boots++;
    this.#kernel.note(this.name, 'power on');
    this.#kernel.network.hostStarted(this);
  }
}
