/**
 * Names of the protocol steps at which a test may kill a process. Defined once, so that a test
 * can walk all of them. Add the name here, then call `runtime.killPoint(name)` at the step. What is
 * sent leaves with its tick, so a kill at a point named `sent` strikes when the tick is over.
 */
export const killPoints = [
  'iod.boot.locked',
  'iod.boot.incarnation-stored',
  'iod.sync.connected',
  'iod.sync.snapshot-begun',
  'iod.sync.compared',
  'iod.sync.snapshot-chunk',
  'iod.sync.before-swap',
  'iod.sync.after-swap',
  'iod.listen.before',
  'iod.listen.after',
  'iod.write.before-disk',
  'iod.write.after-disk',
  'iod.fsync.before-disk',
  'iod.fsync.after-disk',
  'iod.truncate.before-disk',
  'iod.truncate.after-disk',
  'iod.remove.before-disk',
  'iod.remove.after-disk',
  'iod.place.before-disk',
  'iod.place.after-disk',
  'iod.drain.begun',
  'iod.drain.announced',
  'iod.drain.opens-kept',
  'mgr.boot.generation-stored',
  'mgr.recover.loaded',
  'mgr.listen.after',
  'mgr.reclaim.over',
  'mgr.sync.joined',
  'mgr.sync.compared',
  'mgr.sync.page-read',
  'mgr.sync.confirmed',
  'mgr.commit.before',
  'mgr.commit.after',
  'mgr.reply.before',
  'mgr.fanout.before-send',
  'mgr.fanout.sent',
  'mgr.fanout.acknowledged',
  'mgr.move.begun',
  'mgr.move.placed',
  'mgr.fence.before',
  'mgr.fence.after',
  'mgr.drain.begun',
  'client.open.sent',
  'client.open.answered',
  'client.write.sent',
  'client.write.part-acknowledged',
  'client.fsync.sent',
  'client.close.sent',
  'client.reconnect.begun',
  'client.reconnect.attached',
] as const;

export type KillPoint = (typeof killPoints)[number];

/** Steps of every transfer: their messages tell the same, and are in the flight recorder already. */
const ofTransfers = new Set<KillPoint>([
  'iod.write.before-disk',
  'iod.write.after-disk',
  'client.write.sent',
  'client.write.part-acknowledged',
]);

/** Of a step that leaves a record. */
export function isRecorded(point: KillPoint): boolean {
  return !ofTransfers.has(point);
}

/** Of a step whose effect is on the wire only when the tick is over. */
export function isSentPoint(point: KillPoint): boolean {
  return point.endsWith('.sent');
}
