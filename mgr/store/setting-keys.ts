/** Names of the settings that the store and the view themselves read. */

/** The newest generation that owns the store: the fence of `commit`. */
export const generationKey = 'generation';

/** The protocol version that the cluster speaks: its first mgr has chosen it. */
export const protocolKey = 'protocol';

/** How many files there are: to count them takes long. */
export const filesKey = 'files';

/** Whether a client may hold rights to cache: `yes` or `no`. */
export const rightsKey = 'rights';

/** Another value with each commit that is made only to sync those before it. */
export const syncedKey = 'synced';

/** Whether opens and closes may be missing that the mgr's host has lost: `yes` or `no`. */
export const lostOpensKey = 'lost-opens';

/** The directories that were given a retention time: a list of handles, as JSON. */
export const retentionKey = 'retention';

/** Numbers that are given out upward and never again, and the setting that says from where on. */
export const counterKeys = {
  handle: 'next-handle',
  cookie: 'next-cookie',
  session: 'next-session',
  /** Of the stream of opens. */
  sequence: 'next-sequence',
} as const;

export type CounterName = keyof typeof counterKeys;
