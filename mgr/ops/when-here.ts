import type { Context, Handler, Result } from '../../shared/rpc/service.ts';
import { LentError } from '../lends.ts';

/** What only reads: again, when what it has met that was lent is here. */
export function whenHere<Q, R>(run: Handler<Q, R>): Handler<Q, R> {
  const again = async (error: unknown, request: Q, context: Context): Promise<Result<R>> => {
    if (!(error instanceof LentError)) throw error;
    context.stage = { at: 'rights', handles: [error.handle] };
    await error.back;
    context.stage = undefined;
    return attempt(request, context);
  };
  const attempt = (request: Q, context: Context): Result<R> | Promise<Result<R>> => {
    try {
      const result = run(request, context);
      if (!(result instanceof Promise)) return result;
      return result.catch((error: unknown) => again(error, request, context));
    } catch (error) {
      if (error instanceof LentError) return again(error, request, context);
      throw error;
    }
  };
  return attempt;
}
