/** What programs import: `import { connectSync } from 'weftfs/sync'`. Nothing but names from elsewhere. */
export {
  type ConnectedFileSystemSync,
  connectSync,
  type ConnectSyncOptions,
} from './connect-sync.ts';
