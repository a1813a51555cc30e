/**
 * What one mgr, up to 256 iods and up to 10 000 clients would do, each on a host of its own: a model
 * out of queues, with the processor times that were measured here. Pure.
 */
import { limits } from '../../shared/limits.ts';
import type { Costs } from './costs.ts';
import { type Flow, solve, solveBatches, type Station } from './queues.ts';

/** 10 Gbit/s, and 0.1 ms from one host to another. */
const linkBytesPerSecond = 1.25e9;
const roundTripSeconds = 0.2e-3;
/** A commit to the disk, with nobody else at it. */
const commitSeconds = 0.2e-3;
const GiB = 1024 ** 3;
/** Transfers of a call of 1 MiB: all on their way at once. */
const transfersAtOnce = 4;
const iodsMost = 256;
const clientsMost = 10_000;

export const clientCounts = [1, 4, 16, 64, 256, 1024, 4096, clientsMost] as const;
export const iodCounts = [1, 4, 16, 64, iodsMost] as const;

export const modelled = {
  stat: { title: 'stats of all, one at a time each', unit: '/s', by: 'clients' },
  create: { title: 'durable creates of all, one at a time each', unit: '/s', by: 'clients' },
  'create-wait': { title: 'time that a create takes', unit: 'ms', by: 'clients' },
  idle: { title: "mgr's processor for clients that do nothing", unit: '%', by: 'clients' },
  'read-clients': { title: 'streaming reads, 256 iods', unit: 'GB/s', by: 'clients' },
  'read-iods': { title: 'streaming reads, 10,000 clients', unit: 'GB/s', by: 'iods' },
  'write-iods': { title: 'streaming overwrites, 10,000 clients', unit: 'GB/s', by: 'iods' },
  'random-iods': {
    title: 'reads of 4 KiB, 10,000 clients, one at a time each',
    unit: '/s',
    by: 'iods',
  },
} as const;

export type ModelledCurve = keyof typeof modelled;

export interface ModelledPoint {
  readonly curve: ModelledCurve;
  readonly at: number;
  readonly value: number;
  /** What is used most, and how much of it: 1 is all. */
  readonly busiest: Flow['busiest'];
}

export function modelledPoints(costs: Costs): ModelledPoint[] {
  return [
    ...clientCounts.flatMap((clients) => onNames(costs, clients)),
    ...clientCounts.map((clients) => streaming('read-clients', costs, clients, iodsMost)),
    ...iodCounts.map((iods) => streaming('read-iods', costs, clientsMost, iods)),
    ...iodCounts.map((iods) => streaming('write-iods', costs, clientsMost, iods)),
    ...iodCounts.map((iods) => blocks(costs, iods)),
  ];
}

function onNames(costs: Costs, clients: number): ModelledPoint[] {
  const seconds = (headline: string, role: 'client' | 'mgr'): number =>
    costs.call(headline, role) + costs.frame;
  const stat = 'stat, 128 at once';
  const create = 'create, 128 at once';
  const stats = solve(
    [
      { name: 'processor of the mgr', count: 1, seconds: seconds(stat, 'mgr') },
      { name: 'processors of the clients', count: clients, seconds: seconds(stat, 'client') },
    ],
    roundTripSeconds,
    clients,
  );
  const creates = solveBatches(
    {
      name: 'processor of the mgr',
      fixedSeconds: commitSeconds,
      seconds: seconds(create, 'mgr'),
    },
    roundTripSeconds + seconds(create, 'client'),
    clients,
  );
  // Of two ends that have nothing to say one asks the other, or both at the same time.
  const beats = (1.5 * clients * 1000) / limits.heartbeatIntervalMs;
  const use = beats * costs.frame;
  const busiest = { name: 'processor of the mgr', use };
  return [
    { curve: 'stat', at: clients, value: stats.perSecond, busiest: stats.busiest },
    { curve: 'create', at: clients, value: creates.perSecond, busiest: creates.busiest },
    {
      curve: 'create-wait',
      at: clients,
      value: (clients / creates.perSecond) * 1000,
      busiest: creates.busiest,
    },
    { curve: 'idle', at: clients, value: use * 100, busiest },
  ];
}

function streaming(
  curve: 'read-clients' | 'read-iods' | 'write-iods',
  costs: Costs,
  clients: number,
  iods: number,
): ModelledPoint {
  const bytes = limits.transferBytes;
  const headline = `${curve === 'write-iods' ? 'overwrite' : 'read'}, calls of 1 MiB`;
  const client = (costs.gibibyte(headline, 'client') * bytes) / GiB;
  const iod = (costs.gibibyte(headline, 'iods') * bytes) / GiB;
  const stations = hosts({ clients, iods, client, iod, bytes });
  const { perSecond, busiest } = solve(stations, roundTripSeconds, transfersAtOnce * clients);
  const at = curve === 'read-clients' ? clients : iods;
  return { curve, at, value: (perSecond * bytes) / 1e9, busiest };
}

function blocks(costs: Costs, iods: number): ModelledPoint {
  const headline = '4 KiB read, 128 at once';
  const client = costs.call(headline, 'client') + costs.frame;
  const iod = costs.call(headline, 'iods') + costs.frame;
  const stations = hosts({ clients: clientsMost, iods, client, iod, bytes: 4096 });
  const { perSecond, busiest } = solve(stations, roundTripSeconds, clientsMost);
  return { curve: 'random-iods', at: iods, value: perSecond, busiest };
}

interface Hosts {
  readonly clients: number;
  readonly iods: number;
  /** Processor time for each request, seconds. */
  readonly client: number;
  readonly iod: number;
  /** That it moves over the link of each. */
  readonly bytes: number;
}

function hosts({ clients, iods, client, iod, bytes }: Hosts): Station[] {
  const wire = bytes / linkBytesPerSecond;
  return [
    { name: 'processors of the clients', count: clients, seconds: client },
    { name: 'links of the clients', count: clients, seconds: wire },
    { name: 'processors of the iods', count: iods, seconds: iod },
    { name: 'links of the iods', count: iods, seconds: wire },
  ];
}
