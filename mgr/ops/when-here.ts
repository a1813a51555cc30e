import type { Context, Handler, Result } from '../../shared/rpc/service.ts';
import { LentError } from '../lends.ts';

/** What only reads: again, when what it has met that was lent is here. */
export function whenHere<Q, R>(run: Handler<Q, R>): Handler<Q, R> {
  const attempt = (request: Q, context: Context): Result<R> | Promise<Result<R>> => {
    try {
      return run(request, context);
    } catch (error) {
      if (!(error instanceof LentError)) throw error;
      context.stage = { at: 'rights', handles: [error.handle] };
      return error.back.then(() => {
        context.stage = undefined;
        return attempt(request, context);
      });
    }
  };
  return attempt;
}
