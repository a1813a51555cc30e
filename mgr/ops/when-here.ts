import type { Context, Handler, Result } from '../../shared/rpc/service.ts';
import { LentError } from '../lends.ts';

/** What only reads: again, when what it has met that was lent is here. */
export function whenHere<Q, R>(run: Handler<Q, R>): Handler<Q, R> {
  const attempt = (request: Q, context: Context): Result<R> | Promise<Result<R>> => {
    const again = async (error: unknown): Promise<Result<R>> => {
      if (!(error instanceof LentError)) throw error;
      context.stage = { at: 'rights', handles: [error.handle] };
      await error.back;
      context.stage = undefined;
      return attempt(request, context);
    };
    try {
      const result = run(request, context);
      return result instanceof Promise ? result.catch(again) : result;
    } catch (error) {
      if (error instanceof LentError) return again(error);
      throw error;
    }
  };
  return attempt;
}
