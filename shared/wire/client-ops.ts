/** Messages that a client serves. Codes 400-409 from the mgr. */
import { limits } from '../limits.ts';
import { bool, choice, empty, list, struct, u32 } from './codec.ts';
import { op } from './op.ts';
import { handle, pathName, waitPage, waitQuestion } from './values.ts';

/** `rename`: a name has come, gone, or leads to something else; `change`: content or attributes. */
export const changeKinds = ['rename', 'change'] as const;

export const clientOps = {
  recall: op(
    400,
    'Takes back rights to cache. Acknowledged when neither the client nor its kernel uses them.',
    { from: ['mgr'], class: 'control', resend: 'never' },
    struct({ handles: list(handle, limits.rightsPerRecall) }),
    empty,
  ),
  changes: op(
    401,
    'What has changed of what the client watches, after the commit; `lost`: some of it is not told.',
    { from: ['mgr'], class: 'control', resend: 'never' },
    struct({
      changes: list(
        struct({
          watch: u32,
          kind: choice(changeKinds),
          /** Below the directory that is watched; empty: what is watched itself. */
          path: pathName,
        }),
        limits.watchChangesPerMessage,
      ),
      lost: bool,
    }),
    empty,
  ),
  clientWaits: op(
    402,
    'What waits in this client. One that does not know the message answers ENOSYS.',
    { from: ['mgr'], class: 'link', resend: 'never' },
    waitQuestion,
    waitPage,
  ),
};
