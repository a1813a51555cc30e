/** What one message is: the shape of the entries in `*-ops.ts`, from which all else derives. */
import type { Codec, ValueOf } from './codec.ts';

export type Role = 'mgr' | 'iod' | 'client';

export interface Traits {
  /** Who may send it; anybody else gets EPERM and is counted (SCENARIOS 260, 265). */
  readonly from: readonly Role[];
  /**
   * `link`: at any time on a connection that stands; `read`, `write`: the verdict is the state's;
   * `control`: between servers, admitted in every state but the last.
   */
  readonly class: 'link' | 'read' | 'write' | 'control';
  /**
   * How a lost reply is dealt with. `idempotent`: sent again as it is. `slot`: sent again with its
   * (slot, sequence); the server answers with the reply it stored in the transaction of the
   * change. `never`: the caller gets EPIPE.
   */
  readonly resend: 'idempotent' | 'slot' | 'never';
  /** Which side carries bulk bytes outside the body; a reply with some tells their `length`. */
  readonly payload?: 'request' | 'reply';
}

export interface Op<Q = unknown, R = unknown> {
  readonly code: number;
  readonly traits: Traits;
  readonly request: Codec<Q>;
  readonly reply: Codec<R>;
  /** One sentence for PROTOCOL.md. */
  readonly about: string;
  /** What the shape alone cannot say. @returns what is wrong, for EINVAL */
  check?(request: Q): string | undefined;
}

export function op<Q extends Codec<ValueOf<Q>>, R extends Codec<ValueOf<R>>>(
  code: number,
  about: string,
  traits: Traits,
  request: Q,
  reply: R,
  check?: (request: ValueOf<Q>) => string | undefined,
): Op<ValueOf<Q>, ValueOf<R>> {
  return {
    code,
    about,
    traits,
    request,
    reply,
    ...(check && { check }),
  };
}

/** What clients may ask: a question, which may be asked again, and a change, which is made once. */
export const client: readonly Role[] = ['client'];
export const lookup: Traits = { from: client, class: 'read', resend: 'idempotent' };
export const change: Traits = { from: client, class: 'write', resend: 'slot' };

export type OpTable = Readonly<Record<string, Op>>;
export type RequestOf<O> = O extends Op<infer Q, infer _> ? Q : never;
export type ReplyOf<O> = O extends Op<infer _, infer R> ? R : never;
