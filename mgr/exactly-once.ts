/**
 * Each mutation happens at most once, however often it is sent (DESIGN promise 5): it carries a
 * slot of its session and a sequence in it, and its reply is stored in the transaction of the
 * change. A mutation that fails changes nothing, stores nothing, and may be tried again.
 */
import { FsError, ProtocolError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import {
  type Context,
  Encoded,
  type Handler,
  type Result,
  unanswered,
} from '../shared/rpc/service.ts';
import { encode } from '../shared/wire/codec.ts';
import type { Handle } from '../shared/units.ts';
import type { Op } from '../shared/wire/op.ts';
import type { Attr } from '../shared/wire/values.ts';
import type { Commits } from './cluster-port.ts';
import type { FinishAgain } from './ops/finish-again.ts';
import type { ReplyCache } from './reply-cache.ts';
import { LentError, type Lends, type Loan } from './lends.ts';
import type { Rights } from './rights.ts';
import { type CallScope, requireWritable, SessionCall } from './session-call.ts';
import { sessionLost } from './sessions.ts';
import type { ReplyRow } from './store/rows.ts';
import type { TickChanges, TickMark } from './tick-changes.ts';

/**
 * What changes at once returns its reply. What must wait first returns a promise of that which
 * `call.complete` gave it when it changed.
 */
export type ChangeHandler<Q, R> = (call: ChangeCall<R>, request: Q) => R | Promise<Encoded>;

export interface ExactlyOnceOptions {
  readonly scope: CallScope;
  readonly tick: TickChanges;
  readonly replies: ReplyCache;
  readonly commits: Commits;
  readonly rights: Rights;
  readonly lends: Lends;
  readonly finished: FinishAgain;
}

/** A mutation that waits. */
interface Running {
  readonly sequence: number;
  readonly result: Promise<Encoded>;
}

export class ExactlyOnce {
  /** Mutations that came again and got their first reply. */
  replayCount = 0;
  readonly #options: ExactlyOnceOptions;
  /** By session and slot. */
  readonly #running = new Map<number, Running>();

  constructor(options: ExactlyOnceOptions) {
    this.#options = options;
  }

  wrap<Q, R>(op: Op<Q, R>, change: ChangeHandler<Q, R>): Handler<Q, R> {
    return (request, context) => this.#handle(op, change, request, context);
  }

  /** Changes all or nothing, and stores the reply with the change. */
  complete<R>(call: ChangeCall<R>, change: () => R): Encoded | Promise<Encoded> {
    return this.#attempt(call, change);
  }

  #handle<Q, R>(
    op: Op<Q, R>,
    change: ChangeHandler<Q, R>,
    request: Q,
    context: Context,
  ): Result<R> | Promise<Result<R>> {
    const { slot, sequence } = context;
    if (sequence === 0 || slot >= limits.slotsPerSession) {
      throw new ProtocolError(`message ${op.code} with slot ${slot}, sequence ${sequence}`);
    }
    const call = new ChangeCall(this, this.#options.scope, context, op);
    requireWritable(op, request, context);
    const key = call.who.session * limits.slotsPerSession + slot;
    const stored = this.#options.replies.find(call.who.session, slot);
    if (stored !== undefined && !isLater(sequence, stored.sequence)) {
      return sequence === stored.sequence ? this.#again(call, stored) : unanswered;
    }
    const running = this.#running.get(key);
    if (running !== undefined && !isLater(sequence, running.sequence)) {
      return sequence === running.sequence ? running.result : unanswered;
    }
    const result = this.#attempt(call, () => change(call, request));
    return result instanceof Promise ? this.#wait(key, sequence, result) : result;
  }

  /**
   * What a change touches is known when it was made. Where others may cache that, it is taken back,
   * their rights are recalled, and it is made anew: so it is made only when nobody can see the old.
   */
  #attempt<R>(call: ChangeCall<R>, change: () => R | Promise<Encoded>): Encoded | Promise<Encoded> {
    this.#requireWanted(call);
    const { tick } = this.#options;
    const mark = tick.mark();
    call.begin();
    let inTheWay: Promise<void> | undefined;
    try {
      const result = change();
      if (result instanceof Promise) return result;
      inTheWay = this.#clear(call, mark, result);
      if (inTheWay === undefined) return this.#store(call, this.#granted(call, mark, result));
    } catch (error) {
      if (error instanceof LentError) {
        inTheWay = this.#during(call, [error.handle], error.back);
      } else {
        tick.undo(mark);
        throw error;
      }
    }
    tick.undo(mark);
    return inTheWay.then(() => this.#attempt(call, change));
  }

  /**
   * What has waited is not begun when nobody wants it any more (SCENARIOS 118).
   * @throws FsError ESTALE (its session has ended), ECANCELED (given up), ETIMEDOUT
   */
  #requireWanted<R>({ who, slot, sequence, deadline }: ChangeCall<R>): void {
    const { scope, replies } = this.#options;
    if (who.ended) throw sessionLost(who.session);
    const stored = replies.find(who.session, slot);
    if (stored !== undefined && isLater(stored.sequence, sequence)) throw new FsError('ECANCELED');
    if (scope.clock.now() > deadline) throw new FsError('ETIMEDOUT', { id: 'WEFT_E_DEADLINE' });
  }

  /** @returns what to wait for before the change may be made */
  #clear<R>(call: ChangeCall<R>, mark: TickMark, reply: R): Promise<void> | undefined {
    const { context, written, isAlone, made } = call;
    const { rights, lends, tick } = this.#options;
    if (isAlone) return undefined;
    const attr = attrIn(reply);
    if (lends.isUncertain && !call.isTold) {
      // What it has just made nobody before it has lent.
      if (attr !== undefined && made === undefined) lends.requireKnown(attr);
      for (const before of tick.replaced(mark)) lends.requireKnown(before);
    }
    if (!rights.mayBeHeld) return undefined;
    const { inodes, directories } = tick.touched(mark);
    const handles = new Set([...inodes, ...directories]);
    if (written !== undefined) handles.add(written);
    const inTheWay = rights.clear(context.connection, handles);
    return inTheWay && this.#during(call, [...handles], inTheWay);
  }

  async #during<R>(
    { context }: ChangeCall<R>,
    handles: readonly Handle[],
    inTheWay: Promise<void>,
  ): Promise<void> {
    const before = context.stage;
    context.stage = { at: 'rights', handles };
    await inTheWay;
    context.stage = before;
  }

  /** The reply, with rights to what it tells; whatever else has changed its client hears before. */
  #granted<R>(call: ChangeCall<R>, mark: TickMark, reply: R): R {
    const { context, who, made, isTold } = call;
    const { rights, lends, tick } = this.#options;
    const { connection } = context;
    const attr = attrIn(reply);
    if (made !== undefined) {
      const lent = lends.lend(connection, who.session, made);
      const right = lent && made.kind === 'directory';
      return { ...reply, attr: attr && { ...attr, right }, lent };
    }
    if (!rights.mayBeHeld) return reply;
    const { inodes, directories } = tick.touched(mark);
    // Of the directories that it has named, the client knows what has become of them.
    const untold = [...inodes].filter((one) => one !== attr?.handle && !directories.has(one));
    if (!isTold) rights.tell(connection, untold);
    return attr === undefined ? reply : { ...reply, attr: rights.grant(connection, attr) };
  }

  #wait(key: number, sequence: number, result: Promise<Encoded>): Promise<Encoded> {
    const running: Running = {
      sequence,
      result: result.finally(() => {
        if (this.#running.get(key) === running) this.#running.delete(key);
      }),
    };
    this.#running.set(key, running);
    return running.result;
  }

  #again<R>({ op, deadline }: ChangeCall<R>, row: ReplyRow): Encoded | Promise<Encoded> {
    if (row.op !== op.code) {
      throw new FsError('EINVAL', { what: `slot ${row.slot} was used for message ${row.op}` });
    }
    this.replayCount++;
    const reply = new Encoded(row.body);
    return this.#options.finished(row, deadline)?.then(() => reply) ?? reply;
  }

  #store<R>({ who, slot, sequence, op }: ChangeCall<R>, reply: R): Encoded {
    const { replies, commits } = this.#options;
    const body = encode(op.reply, reply);
    commits.schedule();
    replies.put({ session: who.session, slot, sequence, op: op.code, body });
    return new Encoded(body);
  }
}

/** What of a message its reply needs. */
type Answered<R> = Pick<Op<never, R>, 'code' | 'reply'>;

/** A mutation of a session. */
export class ChangeCall<R> extends SessionCall {
  readonly op: Answered<R>;
  readonly slot: number;
  readonly sequence: number;
  /** A file that changes from now on without the mgr's knowing. */
  written: Handle | undefined;
  /** What is to be lent to its caller. */
  made: Loan | undefined;
  /** Nobody else may cache anything of what it changes. */
  isAlone = false;
  /** Its client knows all that it changes. */
  isTold = false;
  readonly #once: ExactlyOnce;

  constructor(once: ExactlyOnce, scope: CallScope, context: Context, op: Answered<R>) {
    super(scope, context);
    this.op = op;
    this.slot = context.slot;
    this.sequence = context.sequence;
    this.#once = once;
  }

  /** It is made anew, and may find other things than before. */
  begin(): void {
    this.written = undefined;
    this.made = undefined;
    this.isAlone = false;
    this.isTold = false;
  }

  /**
   * For what had to wait: makes the change now, whole or not at all, and stores its reply with it.
   * @throws FsError ESTALE when the session has ended meanwhile; and what `change` throws
   */
  complete(change: () => R): Encoded | Promise<Encoded> {
    return this.#once.complete(this, change);
  }
}

function attrIn(reply: unknown): Attr | undefined {
  return (reply as { readonly attr?: Attr }).attr;
}

/** Sequences count up and wrap at 32 bits. */
function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
