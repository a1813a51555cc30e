/**
 * Our own error codes: what happened in general, what it means, what to try. The particulars
 * (which iod, which bytes) travel with the error itself. `weft explain CODE` prints an entry.
 */
export const errorCatalogue = {
  WEFT_E_MGR_UNREACHABLE: {
    what: 'the mgr cannot be reached',
    effect: 'names and opens wait; reads and writes of open files go on while their lease lasts',
    advice: 'check the URL and that the mgr runs: weft ping, weft status',
  },
  WEFT_E_NOT_WEFT: {
    what: 'something answers at this address, but it is no weftfs daemon',
    effect: 'nothing was sent beyond the greeting',
    advice: 'check host and port of the URL',
  },
  WEFT_E_BAD_URL: {
    what: 'this is not a cluster URL',
    effect: 'nothing was contacted',
    advice: 'use ws://HOST:PORT?key=FILE as `weft up` prints it',
  },
  WEFT_E_BAD_KEY: {
    what: 'the peer could not prove the cluster secret',
    effect: 'the connection was refused before anything was read from it',
    advice: 'use the key file that `weft init` wrote (mode 0600) on every host of this cluster',
  },
  WEFT_E_TICKET: {
    what: 'this link was used before, or its minute is over',
    effect: 'nobody was let in',
    advice: 'make a new one: weft web',
  },
  WEFT_E_NO_KEY: {
    what: 'this cluster demands a key and none was given',
    effect: 'the connection was refused',
    advice: 'add ?key=FILE to the URL or set WEFT_KEY_FILE',
  },
  WEFT_E_VERSION: {
    what: 'the two sides speak no common protocol version',
    effect: 'the connection was refused; nothing changed',
    advice: 'bring both sides to versions whose ranges overlap: weft version',
  },
  WEFT_E_OTHER_CLUSTER: {
    what: 'this daemon or data directory belongs to another cluster',
    effect: 'refused; nothing was changed',
    advice: 'check URL and data directory; a data directory never changes its cluster',
  },
  WEFT_E_NOT_MEMBER: {
    what: 'this iod is not in the iodtab under this address or name',
    effect: 'the iod does not serve; other iods are not affected',
    advice: "compare the iod's --name and address with the mgr's iodtab",
  },
  WEFT_E_DATA_LOCKED: {
    what: 'another process holds this data directory',
    effect: 'refused; nothing was touched',
    advice: 'stop the other process first; the lock goes with it',
  },
  WEFT_E_DATA_ROLE: {
    what: 'the data directory was made for another role',
    effect: 'refused; nothing was touched',
    advice: 'give each mgr and each iod a directory of its own',
  },
  WEFT_E_DATA_NEWER: {
    what: 'the data directory was written by a newer weftfs',
    effect: 'refused; nothing was touched',
    advice: 'run the newer version, or restore a copy made before the upgrade',
  },
  WEFT_E_DATA_DAMAGED: {
    what: 'the data directory failed its check',
    effect: 'refused; nothing was changed',
    advice: 'keep a copy of the directory, then run weft fsck on it',
  },
  WEFT_E_STORE_REPLACED: {
    what: "this iod's disk is not the one the mgr knows",
    effect: 'the iod does not serve, so that lost bytes are not read as zeros',
    advice: 'bring the old disk back, or evict the iod and accept the loss of its stripes',
  },
  WEFT_E_STORE_OLDER: {
    what: "this iod's disk is an older copy of itself",
    effect: 'the iod does not serve, so that lost bytes are not read as old ones',
    advice: 'bring the newest disk back, or evict the iod and accept the loss',
  },
  WEFT_E_IOD_DOWN: {
    what: 'an iod cannot be reached',
    effect: 'bytes on that iod wait; files that do not use it are not affected',
    advice: 'weft status names it; start it again and the call goes on',
  },
  WEFT_E_STARTING: {
    what: 'the daemon is starting',
    effect: 'the call is repeated until its deadline',
    advice: 'wait; weft status shows the phase',
  },
  WEFT_E_CONFIG_CHANGE: {
    what: 'the membership is changing',
    effect: 'the call is repeated until its deadline',
    advice: 'wait; weft status shows the epoch',
  },
  WEFT_E_RESYNCING: {
    what: 'the iod is resynchronising its open files',
    effect: 'the call is repeated until its deadline',
    advice: 'wait; weft status shows the progress',
  },
  WEFT_E_BUSY: {
    what: 'a queue is at its bound',
    effect: 'the call is repeated until its deadline',
    advice: 'fewer requests in flight; weft status shows who waits',
  },
  WEFT_E_DRAINING: {
    what: 'the daemon is stopping',
    effect: 'the call is repeated until its deadline',
    advice: 'wait for its restart',
  },
  WEFT_E_LEASE_ENDED: {
    what: 'the lease with the mgr has ended',
    effect: 'no change is accepted until contact is back, so that no right has two owners',
    advice: 'check the network to the mgr: weft ping',
  },
  WEFT_E_SESSION_LOST: {
    what: 'the session has ended at the mgr',
    effect: 'its open files are closed and its rights belong to others',
    advice: 'connect again and open the files anew; check what was not fsynced',
  },
  WEFT_E_DEADLINE: {
    what: 'the deadline of the call passed',
    effect: 'whether it took effect may be unknown; repeating it with the same session is safe',
    advice: 'weft status shows which daemon is late; a longer deadline waits longer',
  },
  WEFT_E_CAP_REFUSED: {
    what: 'the capability does not permit this',
    effect: 'nothing was read or written; counted at the iod',
    advice: 'open the file with the right that is needed, in this session',
  },
  WEFT_E_CAP_STALE: {
    what: 'the capability is of a file that was closed or of an earlier epoch',
    effect: 'nothing was read or written',
    advice: 'open the file again',
  },
  WEFT_E_CHECKSUM: {
    what: 'bytes arrived or were stored damaged',
    effect: 'they were not used; a repeat asks for them again',
    advice: 'repeat; if it stays, check memory and disk of the named host',
  },
  WEFT_E_DATA_LOST: {
    what: 'acknowledged but not yet fsynced bytes were lost with an iod, or those of a small file with the host of the mgr',
    effect: 'the named range, or what was written since the last fsync, must be written again',
    advice: 'write it again and fsync',
  },
  WEFT_E_IODTAB: {
    what: 'the iodtab is not valid',
    effect: 'nothing was started',
    advice: 'mend the named line',
  },
  WEFT_E_IODTAB_CHANGED: {
    what: 'the iodtab does not fit the files that exist',
    effect: 'nothing was started, so that stripes keep their meaning',
    advice: 'put the lines back in their order; add new iods at the end',
  },
  WEFT_E_OPEN_BIND: {
    what: 'listening beyond loopback needs a cluster secret',
    effect: 'nothing was started',
    advice: 'weft init makes a secret; give its file with --key',
  },
  WEFT_E_PORT_TAKEN: {
    what: 'the port is in use',
    effect: 'nothing was started',
    advice: 'stop the other process or choose another --port (0 lets the system choose)',
  },
  WEFT_E_DISK: {
    what: "the data directory's disk failed",
    effect: 'the bytes concerned are not acknowledged',
    advice: 'check the disk of the named daemon',
  },
  WEFT_E_QUARANTINED: {
    what: 'something could not be placed and was set aside',
    effect: 'nothing was deleted',
    advice: 'weft fsck lists the quarantine and can put things back',
  },
} as const satisfies Record<string, { what: string; effect: string; advice: string }>;

export type ErrorId = keyof typeof errorCatalogue;
