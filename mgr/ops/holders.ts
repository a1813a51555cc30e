import type { Handle, SessionId } from '../../shared/units.ts';

/** What the names must know of the open table. Answers at once, from memory. */
export interface Holders {
  /** True while any session has it open: without a name it then lives on as an orphan. */
  isHeld(handle: Handle): boolean;
  /** True while this session has it open for writing: then it may truncate it whatever its mode. */
  isWriter(session: SessionId, handle: Handle): boolean;
}
