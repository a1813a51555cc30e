/**
 * What may be wrong with a cluster as a whole: `weft health` names it, `weft explain CODE` prints
 * an entry, docs/HEALTH.md lists them. `warning`: nobody has lost anything yet, or it ends by
 * itself. `error`: something does not work, and somebody must act.
 */
export interface HealthEntry {
  readonly severity: 'warning' | 'error';
  readonly what: string;
  readonly cause: string;
  readonly effect: string;
  /** What helps, with the command for it. */
  readonly advice: string;
}

/** Of a disk; with less it is nearly full, or full. */
export const diskShares = { nearlyFull: 0.05, full: 0.01 } as const;

export const healthCatalogue = {
  WEFT_H_CANNOT_ASK: {
    severity: 'error',
    what: 'the cluster does not let itself be asked',
    cause: 'wrong URL, key or version, or something else answers at this address',
    effect: 'nothing is known of its health; others may still use it',
    advice: 'compare URL and key with what weft up or weft init printed: weft ping',
  },
  WEFT_H_MGR_UNREACHABLE: {
    severity: 'error',
    what: 'the mgr does not answer',
    cause: 'it does not run, it hangs, or the network to it is cut',
    effect: 'names and opens wait; reads and writes of open files go on for 30 s',
    advice: 'start it again: weft up on its host; weft ping names the step that fails',
  },
  WEFT_H_MGR_RECOVERING: {
    severity: 'warning',
    what: 'the mgr has started and waits for the clients of before',
    cause: 'sessions that were there before its restart may come back for a while',
    effect: 'all is served; what the missing had open is not given to others yet',
    advice: 'wait, it ends by itself: weft status tells when and who is missing',
  },
  WEFT_H_MGR_DISK_RESERVE: {
    severity: 'error',
    what: 'the disk of the mgr is full',
    cause: 'less is free beside the name store than the mgr keeps back for this case',
    effect: 'nothing new is made; what is there is read, written and removed as ever',
    advice: 'free space on the disk of the mgr, or remove files: weft rm',
  },
  WEFT_H_IOD_ABSENT: {
    severity: 'error',
    what: 'an iod is away',
    cause: 'it does not run, or it cannot reach the mgr',
    effect: 'reads and writes of its bytes wait until their deadline; new files that need it fail',
    advice: 'start it again: weft up on its host; its log and weft ping tell why it is away',
  },
  WEFT_H_IOD_NEVER_STARTED: {
    severity: 'error',
    what: 'an iod of the iodtab has never started',
    cause: 'it was listed, but not started yet, or under another name',
    effect: 'files that are striped over it cannot be written',
    advice: 'start it on its host: weft iod --help',
  },
  WEFT_H_IOD_EVICTED: {
    severity: 'error',
    what: 'an iod has been evicted',
    cause: 'an operator has given up its disk',
    effect: 'bytes that only it had are lost; files that need it fail',
    advice: 'see which files are damaged: weft fsck; weft iod admit lets it in again',
  },
  WEFT_H_IOD_SYNCING: {
    severity: 'warning',
    what: 'an iod learns who has what open before it serves',
    cause: 'it has just started, or waits for the mgr',
    effect: 'reads and writes of its bytes wait',
    advice: 'wait, it ends by itself: weft status tells how far it is',
  },
  WEFT_H_IOD_DRAINING: {
    severity: 'warning',
    what: 'an iod is being stopped',
    cause: 'somebody has asked it to stop',
    effect: 'it takes no writes any more; they wait until it is back',
    advice: 'start it again when its host is ready: weft up',
  },
  WEFT_H_IOD_SILENT: {
    severity: 'warning',
    what: 'an iod is connected, and silent',
    cause: 'its process hangs, its host is overloaded, or the network drops what it says',
    effect: 'reads and writes of its bytes may wait; after 8 s it counts as away',
    advice: 'look at its host, and at weft ping',
  },
  WEFT_H_IOD_ALONE: {
    severity: 'warning',
    what: 'an iod serves without the mgr',
    cause: 'the mgr is away, and the lease of the iod has not ended yet',
    effect: 'open files are read and written until the lease ends, then they wait',
    advice: 'bring the mgr back before that: weft up; weft status tells how long it is',
  },
  WEFT_H_DISK_NEARLY_FULL: {
    severity: 'warning',
    what: `less than ${diskShares.nearlyFull * 100} % of a disk is free`,
    cause: 'files have grown, or the disk is used by others too',
    effect: 'none yet; writes fail with ENOSPC when it is full',
    advice: 'remove files, or give the iod a larger disk: weft df',
  },
  WEFT_H_DISK_FULL: {
    severity: 'error',
    what: `less than ${diskShares.full * 100} % of a disk is free`,
    cause: 'files have grown, or the disk is used by others too',
    effect: 'writes to files with bytes on it fail with ENOSPC, or soon will',
    advice: 'remove files, or give the iod a larger disk: weft df',
  },
  WEFT_H_QUARANTINE: {
    severity: 'warning',
    what: 'an iod has set objects aside',
    cause: 'it found objects of files that the mgr does not know',
    effect: 'they take space, and are neither served nor deleted',
    advice: 'weft fsck lists them; fsck --restore or --discard decides',
  },
  WEFT_H_SESSION_SILENT: {
    severity: 'warning',
    what: 'clients are away that have not ended their sessions',
    cause: 'their programs were killed, their hosts are down, or the network to them is cut',
    effect: 'what they have open is kept for them until their leases end (30 s)',
    advice: 'wait, it ends by itself: weft recovery list tells who was lost',
  },
  WEFT_H_REMOVALS_WAIT: {
    severity: 'warning',
    what: 'removed files still take space on iods that are away',
    cause: 'an iod must carry the removal out, and does not serve',
    effect: 'their space is free when the iod is back and has done it',
    advice: 'start the iods that are away: weft up; weft status names them',
  },
  WEFT_H_VERSION_DIFFERS: {
    severity: 'warning',
    what: 'the mgr is of another release than this program',
    cause: 'not everything was upgraded',
    effect: 'none while both speak a common protocol',
    advice: 'bring all hosts to one release: weft version',
  },
} as const satisfies Record<string, HealthEntry>;

export type HealthCode = keyof typeof healthCatalogue;
