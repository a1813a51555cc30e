/**
 * Every bound in one place, with the relations between them asserted at load. No message, path,
 * name, list, queue or wait is without one of these.
 */
import assert from 'node:assert/strict';

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** POSIX NAME_MAX and PATH_MAX as on Linux. */
  nameBytesMax: 255,
  pathBytesMax: 4096,
  symlinksFollowedMax: 40,
  linksMax: 65_000,
  xattrNameBytesMax: 255,
  xattrValueBytesMax: 64 * KiB,
  xattrsPerFileMax: 256,
  groupsMax: 64,
  /** Last byte is at 2^53 - 2, so that size and every offset are exact in a JavaScript number. */
  fileBytesMax: Number.MAX_SAFE_INTEGER,

  iodsMax: 512,
  stripeBytesDefault: 256 * KiB,
  stripeBytesMin: 4 * KiB,
  stripeBytesMax: 64 * MiB,

  /** Bytes that a file may have in the mgr's store: as its option says, and what it may say. */
  smallFileBytesDefault: 16 * KiB,
  smallFileBytesMax: 64 * KiB,

  /** Fields of one message, without payload. */
  bodyBytesMax: 512 * KiB,
  /** Payload of one message to or from an iod. */
  payloadBytesMax: 1 * MiB,
  /** All entries that travel as one frame. */
  packetBytesMax: 8 * MiB,
  /** A tick with more to say begins to say it, so that both ends have work. */
  messagesSentAtOnce: 32,
  /** What a client asks of one iod in one message; larger ones are split. */
  transferBytes: 256 * KiB,
  /** Bytes of payload in flight from one client to one iod. */
  windowBytesPerIod: 1 * MiB,
  /** Slots of a lane (runtime/node/lane.ts) for each direction, and what goes through the socket. */
  laneSlots: 4,
  laneSlotBytes: 256 * KiB,
  laneBytesMin: 64 * KiB,
  /** Fewer of them are not worth to move a file to the iods. */
  copiedBytesMin: 64 * KiB,
  /** Threads of which a mount remembers what they have opened last. */
  likelyCopiesMax: 64,
  /** What an iod is to copy at once for one call: more would be more than a client may have under way. */
  copiedBytesPerIod: 4 * MiB,
  /** Of an object that may have holes, looked at for one message. */
  seekBytesPerCall: 16 * MiB,
  /** Of a listener. Their memory is its clients' as much as its own. */
  lanesMax: 128,
  /** A client that reads the objects of iods of its host itself: for so long without asking again. */
  sharedReadMs: 5_000,
  /** While it reads it asks so often, and says how much it has read; and reads so often before. */
  sharedReadAskMs: 1_000,
  sharedReadsBefore: 1,
  /** Such a read waits no longer for a disk: the iod is asked. */
  sharedReadPatienceMs: 100,
  /** Of a process, under way at once; more are read by the iods. */
  sharedReadsMax: 128,
  /** Objects that a client has open. */
  sharedFilesMax: 256,
  channelHighWaterBytes: 4 * MiB,
  channelLowWaterBytes: 1 * MiB,
  /** Past this a peer that does not read is cut (SCENARIOS 132). */
  channelBufferedBytesMax: 64 * MiB,

  /** Each takes about 30 KiB and a descriptor; `weft doctor` tells when a process may have fewer. */
  connectionsMax: 12_288,
  /** Who has not proved himself yet; more of them wait unread, or none would be done in time. */
  strangersMax: 128,
  /** Of those who read the metrics of a mount at the same time. */
  metricsConnectionsMax: 16,
  requestsInFlightPerPeerMax: 4096,
  /** Payload of the requests of one peer that have no answer yet. */
  requestBytesPerPeerMax: 8 * MiB,
  /** Mutations of one session in flight: one a slot. */
  slotsPerSession: 256,
  /** The reply to one of them. */
  changeReplyBytesMax: 4 * KiB,
  authenticationTimeoutMs: 5_000,
  connectTimeoutMs: 5_000,
  heartbeatIntervalMs: 2_000,
  heartbeatSilenceMs: 8_000,
  reconnectDelayMinMs: 10,
  /** In the first seconds: nobody may notice more than a pause when a daemon comes back. */
  reconnectDelayWatchfulMs: 200,
  reconnectDelayMaxMs: 2_000,
  callDeadlineDefaultMs: 60_000,
  /** A session without a word from its client for this long is ended. */
  sessionLeaseMs: 30_000,
  /** An iod serves this long after it last heard from the mgr; the mgr waits longer (below). */
  iodLeaseMs: 30_000,
  iodLeaseAtMgrMs: 36_000,
  /** After a mgr restart sessions may re-attach for this long. */
  reclaimWindowMs: 45_000,
  iodSyncTimeoutMs: 10_000,
  /**
   * A client uses a right to cache for this long after it sent the latest question that the mgr has
   * answered, and lets the kernel use it no longer. The mgr waits longer (below) for a client that
   * does not give a right back.
   */
  rightMs: 1_500,
  rightAtMgrMs: 2_000,
  /** Rights that are used when the last question is as old are renewed meanwhile. */
  rightRenewMs: 400,
  drainTimeoutMs: 5_000,

  direntsPerPageMax: 1024,
  opensPerSnapshotChunk: 1024,
  /** Opens in one message of a client to a mgr that may have lost some. */
  opensPerDeclareMax: 1024,
  /** Opens that have one digest when an iod and the mgr compare what they know; a file's more. */
  opensPerRange: 256,
  openRangesPerPage: 64,
  /** The mgr goes on with other work after it has looked at so many for an iod that syncs. */
  opensLookedAtPerCall: 16_128,
  /** What an iod that stops keeps of its open table for its next start: that of 2 million opens. */
  openImageBytesMax: 50_000_000,
  /** Changes of the open table on their way to one iod; with more it must sync again. */
  openChangesQueuedPerIod: 65_536,
  /** Messages with changes that one iod has not acknowledged yet. */
  openMessagesInFlightPerIod: 8,
  openFilesPerSessionMax: 1_000_000,
  objectDescriptorsMax: 512,
  /** An object that nobody has used for this long is closed. */
  objectIdleMs: 30_000,
  /** Directories of objects of which an iod knows that nothing in them waits for a sync. */
  syncedDirectoriesMax: 65_536,
  /** Bytes of reads that an iod has under way: for one connection, and for all. */
  readBytesPerPeerMax: 8 * MiB,
  readBytesMax: 256 * MiB,
  /** Free buffers that an iod keeps for the next request. */
  iodBuffersKeptBytesMax: 64 * MiB,
  /** Starts of an iod that the mgr did not confirm, remembered by its disk. */
  unconfirmedLivesMax: 16,
  /** Sessions that the mgr has ended, remembered by an iod so that none of them connects again. */
  fencedSessionsMax: 65_536,
  objectsPerListPage: 1024,
  sessionsPerPage: 512,
  openFilesPerPage: 4096,
  quarantinePerListPage: 256,
  reapBatchMax: 256,
  /**
   * Changes of the open table are collected for this long, or until a message to an iod is full of
   * them, before the iods hear of them: to wake an iod is dear.
   */
  openChangesDelayMs: 200,
  /** How long a link may be cut or slow on purpose, and how slow. */
  drillSecondsMax: 3600,
  drillDelayMaxMs: 5000,
  /** Directories with a retention time; files that wait for it; names of one of these. */
  retentionDirectoriesMax: 4096,
  retentionFilesMax: 1_048_576,
  retentionNamesMax: 16,
  retentionNamesPerPage: 512,
  /** Removals are collected for this long before they are carried out together. */
  reapDelayMs: 400,
  /** Rights to cache that one session holds, and all; whoever wants more gives old ones back. */
  rightsPerSessionMax: 65_536,
  rightsMax: 524_288,
  rightsPerRecall: 1024,
  /** Names that a client caches. */
  cachedNamesMax: 131_072,
  /** After so many names that it does not know, a client reads a directory whole, if it is small. */
  missesBeforeListing: 4,
  /** Directories of which a client counts those. */
  directoriesWatchedMax: 1024,
  /** Inodes and names that the mgr remembers, 600 bytes for both; any other costs it four times as long. */
  inodeCacheEntriesMax: 262_144,
  direntCacheEntriesMax: 262_144,
  /** SQLite's own cache, and how far its log grows before it is written back (4 KiB pages). */
  storePageCacheBytes: 24 * MiB,
  /** The same while a start looks through all of it: whoever has the store open keeps it for good. */
  storeReadOnceCacheBytes: 2 * MiB,
  /** A longer store is not read as a whole at the start, to see whether it is damaged. */
  storeCheckedBytesMax: 64 * MiB,
  storeWalPagesMax: 4096,
  /** Kept on the mgr's disk for when it is full; how often it is then tried to be kept again. */
  storeReserveBytes: 24 * MiB,
  storeReserveRetryMs: 10_000,
  /** How long the mgr leaves what need not wait for the disk to the next commit that does. */
  relaxedCommitMs: 1000,
  /** Handles, cookies and the like are reserved in blocks, so that not every one costs a write. */
  counterBlock: 4096,
  /** Sessions of the cluster, with those whose clients are away within their lease. */
  sessionsMax: 16_384,
  /** One-time links that nobody has followed yet, and for how long they may be. */
  ticketsMax: 64,
  ticketLifeMs: 60_000,
  /** Changes of the size of one file that wait for each other. */
  sizeChangesQueuedMax: 1024,

  /** What a process tells of what waits in it, the oldest first; characters of a text of it. */
  waitsPerPage: 128,
  waitHandlesMax: 8,
  waitTextMax: 240,

  /** Reports of recoveries that a daemon keeps, and what one of them may hold. */
  recoveriesKept: 64,
  recoveriesPerPage: 16,
  recoveryReportBytesMax: 16 * KiB,
  recoveryItemsMax: 8,
  recoveryNamesMax: 16,
  recoveryTextMax: 160,

  /** Events of the cluster that the mgr keeps: of sessions, and of all else; and in one message. */
  eventsKept: 2048,
  eventsPerPage: 128,
  eventTextMax: 200,
  eventBytesMax: 3 * KiB,
  /** They are collected for this long before they are written. */
  eventsDelayMs: 20,
  /** The mgr looks so often whether something is wrong that was not, or the other way round. */
  healthLookMs: 1000,

  /** What the flight recorder remembers: of a daemon, and of a client. */
  traceRecordsOfServer: 32_768,
  traceRecordsOfClient: 8_192,
  /** A process that is killed leaves a file that ends at most so long before it. */
  traceFlushMs: 100,
  /** Of the lives of a daemon, and of all clients of a user on a host. */
  traceFilesKeptOfDaemon: 4,
  traceFilesKeptOfClients: 16,

  /** Largest read or write that the kernel asks of a mount: all of its pages. */
  fuseTransferBytes: 1 * MiB,
  /** Requests of a mount that nobody waits for (readahead, asynchronous I/O). */
  fuseBackgroundMax: 64,
  /** Requests that a mount works on; more wait in the kernel. */
  fuseInFlightMax: 512,
  /** That a mount reads before it looks after anything else. */
  fuseRequestsPerTurn: 64,
  /** Between an answer to the kernel and what it asks next in the same system call. */
  fuseContinuationMs: 1,
  /**
   * A kernel keeps a listing while what came with it is good for so long; then it asks for all of it
   * again, and not for each name when that is over.
   */
  fuseListingLeftMs: 600,
  /** What the kernel needs a name for it keeps for so long, if it is not taken back before. */
  fuseByNameMs: 3_600_000,
  /** Closes wait this long for a change with which they can share a commit. */
  lateCloseMs: 5,
  /** What was done to a lent file is told after so long, also when nobody asks. */
  lentMs: 20,
  /** A lent directory in which nothing is made for so long is given back. */
  lentDirectoryMs: 1000,
  /** For so long after a directory that was borrowed has been of use, others are with their first change. */
  lentStreakMs: 100,
  /** For so long after somebody else has cared for it a directory is not lent. */
  unsharedMs: 5000,
  /** Directories that a client has lent at a time. */
  lentDirectoriesMax: 4096,
  /** What was made in lent directories and the mgr does not know yet. */
  unbornMax: 1024,
  /** Names that are settled in one message, and bytes of their files. */
  namesPerSettle: 128,
  settleBytesMax: 256 * KiB,
  /** Handles that a client gets for what it makes in lent directories. */
  handlesPerTake: 1024,
  /** Small files that are read by one message, and their bytes. */
  smallFilesPerRead: 32,
  smallFilesReadBytesMax: 128 * KiB,
  /** A small file that is read is opened at the mgr after so long, also when nobody asks. */
  openUnderRightMs: 1000,
  /** Files that programs have read and closed are kept open for this long, and at most so many. */
  fuseIdleReaderMs: 1000,
  fuseIdleReadersMax: 256,
  /**
   * The kernel keeps pages of a file that is no larger. It fills them by 128 KiB at a time, at twice the
   * cost of large reads without: of what is longer than that only when it is opened once more.
   */
  fuseKeptFileBytesMax: 32 * MiB,
  fuseKeptAtOnceBytesMax: 128 * 1024,
  /** A recall waits this long for pages of which some are being read, and for so many at once. */
  fuseDropMs: 500,
  fuseDropsMax: 2,
  /**
   * A file is lent to who has written so much of it in order; it goes back when he rests so long. Who had to
   * give it back asks again after as long. What follows so many writes in order is gathered.
   */
  gatheredAfterBytes: 256 * KiB,
  gatheredAfter: 4,
  gatheredIdleMs: 1_000,
  gatheredAgainMs: 1_000,
  /** Writes are gathered to so much, of all files of a mount to so much, and wait so long for company. */
  gatheredBytes: 1 * MiB,
  gatheredBytesMax: 16 * MiB,
  gatheredMs: 20,
  /** Pieces that a mount reads before they are asked for; who does not ask for one so long does without. */
  fuseReadsAheadMax: 8,
  fuseReadAheadMs: 100,
  /** Free buffers that a mount keeps for the next reads. */
  fuseBuffersKeptBytesMax: 8 * MiB,
  /** Bytes of small files that a mount keeps for those who read them again. */
  fuseContentsKeptBytesMax: 8 * MiB,

  /** Files and directories that one client watches. */
  watchesPerClientMax: 4096,
  /** Changes on their way to one client; with more it is told that some are lost. */
  watchChangesQueuedMax: 4096,
  watchChangesPerMessage: 64,
  /** Names of one file whose watchers are told of its changes. */
  watchedNamesMax: 64,
  /** Events of one iterator of `fs.promises.watch` that nobody has asked for yet. */
  watchEventsQueuedMax: 2048,
} as const;

assert(limits.strangersMax < limits.connectionsMax);
assert(limits.handlesPerTake <= limits.counterBlock / 2);
assert(limits.transferBytes <= limits.payloadBytesMax);
assert(limits.payloadBytesMax + limits.bodyBytesMax < limits.packetBytesMax);
assert(limits.laneSlots < 256, 'a lane counts them in one byte');
assert((limits.opensPerDeclareMax + limits.slotsPerSession) * 128 < limits.bodyBytesMax);
assert(limits.xattrValueBytesMax + limits.pathBytesMax < limits.bodyBytesMax);
assert(limits.smallFileBytesDefault <= limits.smallFileBytesMax);
assert(limits.smallFileBytesMax + 1024 < limits.bodyBytesMax);
assert(limits.sharedReadAskMs * 3 < limits.sharedReadMs);
assert(limits.sharedReadMs < limits.heartbeatSilenceMs);
assert(limits.windowBytesPerIod <= limits.readBytesPerPeerMax);
assert(limits.copiedBytesPerIod <= limits.readBytesPerPeerMax);
assert(limits.windowBytesPerIod <= limits.requestBytesPerPeerMax);
assert(limits.payloadBytesMax <= limits.requestBytesPerPeerMax);
assert(limits.heartbeatIntervalMs * 3 < limits.heartbeatSilenceMs);
assert(limits.heartbeatSilenceMs < limits.sessionLeaseMs);
assert(limits.iodLeaseMs < limits.iodLeaseAtMgrMs, 'the mgr must count an iod lease longer');
assert(limits.sessionLeaseMs < limits.reclaimWindowMs);
assert(
  limits.heartbeatIntervalMs + limits.drillDelayMaxMs < limits.heartbeatSilenceMs,
  'a slow link is not a silent one: its answer to the first question comes in time',
);
assert(
  limits.rightMs * 1.25 <= limits.rightAtMgrMs,
  'the mgr must count a right longer, whatever the clocks do',
);
assert(limits.rightRenewMs * 3 < limits.rightMs);
assert(limits.rightAtMgrMs < limits.sessionLeaseMs);
assert(limits.fuseDropMs * 2 < limits.rightAtMgrMs, 'pages must not cost a mount its rights');
assert(limits.opensLookedAtPerCall / limits.opensPerRange < limits.openRangesPerPage);
assert(
  limits.openChangesDelayMs < limits.reapDelayMs,
  'an iod hears that nobody has a file open before it removes it',
);
assert(limits.waitsPerPage * (2 * 4 * limits.waitTextMax + 256) < limits.bodyBytesMax);
assert(32 * (limits.connectionsMax + limits.objectDescriptorsMax) < limits.bodyBytesMax);
assert(limits.eventsPerPage * limits.eventBytesMax < limits.bodyBytesMax);
// A character takes six at most in JSON.
assert(2 * 6 * limits.eventTextMax + 256 < limits.eventBytesMax);
assert(limits.recoveriesPerPage * limits.recoveryReportBytesMax < limits.bodyBytesMax);
assert(limits.storeWalPagesMax * 4096 < limits.storeReserveBytes, 'the log can be written back');
assert(limits.watchChangesPerMessage * (limits.pathBytesMax + 16) < limits.bodyBytesMax);
assert(limits.channelLowWaterBytes < limits.channelHighWaterBytes);
