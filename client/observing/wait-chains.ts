/** What waits for what, put together from what each process tells of itself. Pure. */
import type { Handle } from '../../shared/units.ts';
import { opName } from '../../shared/wire/op-names.ts';
import type { Wait, WaitPage } from '../../shared/wire/values.ts';
import { humanDuration } from '../../shared/figures.ts';

/** A process, and what waits in it. */
export interface Teller {
  /** `mgr`, the name of an iod, or `session 12`: nobody else is called so. */
  readonly key: string;
  /** For people. */
  readonly title: string;
  /** What it has told; or why it has not. */
  readonly told: WaitPage | string;
}

/** One line of a chain: what is below it, one level deeper, is what it waits for. */
export interface Step {
  readonly depth: number;
  readonly process: string;
  /** `undefined`: what a process would have to tell, and does not. */
  readonly wait: Wait | undefined;
  readonly text: string;
}

/** What the chains begin with. */
export interface Question {
  /** As `requestId` has it; `undefined`: all that waits. */
  readonly request?: string | undefined;
  readonly fileName: (handle: Handle) => string;
  /** Of an iod that is not connected, by its number. */
  readonly iodName: (index: number) => string | undefined;
  /** What the mgr knows of a process, in words. */
  readonly stateOf: (key: string) => string | undefined;
}

interface Item {
  readonly teller: Teller;
  readonly wait: Wait;
}

const recallName = 'recall';

/** @param files that it is about */
const stageWords: Readonly<Record<Wait['stage'], (files: string) => string>> = {
  work: () => 'it works on it',
  turn: (files) => `it is not its turn, the size of ${files} is being changed`,
  iods: (files) => `it waits for iods of ${files}`,
  rights: (files) => `others may cache ${files}, and must not any more`,
};

/** `a4f18cba:2`, as in traces; `undefined` while it is not on its way. */
export function requestId({ connection, tag }: Wait): string | undefined {
  return tag === 0 ? undefined : `${connection.toString(16).padStart(8, '0')}:${tag}`;
}

/** Every chain from its beginning, the one that has lasted longest first. */
export function chainsOf(
  tellers: readonly Teller[],
  question: Question,
): readonly (readonly Step[])[] {
  const graph = new Graph(tellers, question);
  return graph
    .roots()
    .toSorted((a, b) => b.wait.forMs - a.wait.forMs)
    .map((root) => graph.chainFrom(root));
}

class Graph {
  readonly #tellers: readonly Teller[];
  readonly #question: Question;
  readonly #items: readonly Item[];
  readonly #ofTeller: ReadonlyMap<Teller, readonly Item[]>;
  /** Where each request has arrived, by its id. */
  readonly #requests = new Map<string, Item>();

  constructor(tellers: readonly Teller[], question: Question) {
    this.#tellers = tellers;
    this.#question = question;
    this.#ofTeller = new Map(tellers.map((teller) => [teller, itemsOf(teller)]));
    this.#items = [...this.#ofTeller.values()].flat();
    for (const item of this.#items) {
      const id = requestId(item.wait);
      if (item.wait.kind === 'request' && id !== undefined) this.#requests.set(id, item);
    }
  }

  /** What nothing else waits for; or the request that was named, where it comes from. */
  roots(): readonly Item[] {
    const { request } = this.#question;
    if (request !== undefined) {
      const named = this.#items.filter(({ wait }) => requestId(wait) === request);
      return named.filter(({ wait }) => wait.kind === 'call' || named.length === 1);
    }
    const reached = new Set(this.#items.flatMap((item) => this.#next(item)));
    return this.#items.filter((item) => !reached.has(item));
  }

  chainFrom(root: Item): readonly Step[] {
    const steps: Step[] = [];
    const seen = new Set<Item>();
    const visit = (item: Item, depth: number): void => {
      if (seen.has(item)) return;
      seen.add(item);
      const { teller, wait } = item;
      steps.push({ depth, process: teller.key, wait, text: this.#textOf(item) });
      const next = this.#next(item);
      for (const one of next) visit(one, depth + 1);
      if (next.length === 0) steps.push(...this.#end(item, depth + 1));
    };
    visit(root, 0);
    return steps;
  }

  /** What it waits for, as far as somebody tells of it. */
  #next({ teller, wait }: Item): readonly Item[] {
    if (wait.kind === 'call') {
      const there = this.#requests.get(requestId(wait) ?? '');
      return there === undefined ? [] : [there];
    }
    if (wait.kind === 'kernel') return callsFor(wait, this.#ofTeller.get(teller) ?? []);
    if (wait.kind !== 'request') return [];
    const here = this.#ofTeller.get(teller) ?? [];
    return here.filter((other) => other.wait !== wait && isWaitedFor(wait, other.wait));
  }

  /** What is known of the process at which a chain ends, when it does not tell itself. */
  #end({ teller, wait }: Item, depth: number): readonly Step[] {
    const isOwn = wait.kind === 'request' || wait.kind === 'kernel';
    const key = isOwn ? teller.key : this.#keyOf(wait);
    const peer = this.#tellers.find((one) => one.key === key);
    const parts: string[] = [];
    const state = this.#question.stateOf(key);
    if (state !== undefined) parts.push(state);
    if (wait.kind === 'call' && wait.tag > 0) {
      if (typeof peer?.told === 'string')
        parts.push(`does not tell what it waits for: ${peer.told}`);
      else if (peer !== undefined) parts.push('does not have it: it is on its way');
    }
    if (parts.length === 0) return [];
    const text = `${peer?.title ?? key}: ${parts.join('; ')}`;
    return [{ depth, process: key, wait: undefined, text }];
  }

  /** The process at the other end. */
  #keyOf({ peer, session }: Wait): string {
    const [role, ...rest] = peer.split(' ');
    const name = rest.join(' ');
    if (role === 'iod') {
      const isKnown = this.#tellers.some(({ key }) => key === name);
      return isKnown ? name : (this.#question.iodName(Number(name)) ?? name);
    }
    return session === undefined ? 'mgr' : `session ${session}`;
  }

  #textOf({ teller, wait }: Item): string {
    const { kind, op, leftMs, why } = wait;
    const id = requestId(wait);
    const about = [
      ...(op > 0 ? [opName(op)] : []),
      ...(wait.handles.length > 0 ? [this.#filesOf(wait)] : []),
      ...(id === undefined ? [] : [`(${id})`]),
    ].join(' ');
    const since = `for ${humanDuration(wait.forMs / 1000)}`;
    const left = leftMs === undefined ? '' : `, ${humanDuration(leftMs / 1000)} more at most`;
    const times = `${since}${left}`;
    const name = this.#nameOf(wait);
    const begin = `${teller.title}: `;
    if (kind === 'call') {
      const obstacle = why === '' ? silenceOf(wait) : `: ${why}`;
      return `${begin}waits for ${name}: ${about}, ${times}${obstacle}`;
    }
    if (kind === 'request') {
      const isOfDisk = wait.stage === 'work' && isIod(teller);
      const stage = isOfDisk ? 'its disk works on it' : stageWords[wait.stage](this.#filesOf(wait));
      return `${begin}has ${about} of ${name}, ${times}: ${stage}`;
    }
    if (kind === 'kernel') {
      return `${begin}${wait.peer} waits for ${why} (${this.#filesOf(wait)}), ${times}`;
    }
    if (kind === 'iod') {
      const errand = about === '' ? '' : `, for ${about}`;
      return `${begin}waits until ${name} is back${errand}, ${times}: ${why}`;
    }
    return `${begin}waits until ${name} can use its rights to cache no more, ${times}`;
  }

  #filesOf({ handles }: Wait): string {
    const [first] = handles;
    if (first === undefined) return 'the file';
    const more = handles.length > 1 ? ` and ${handles.length - 1} more` : '';
    return `${this.#question.fileName(first)}${more}`;
  }

  #nameOf(wait: Wait): string {
    const key = this.#keyOf(wait);
    if (wait.kind === 'rights' && wait.session === undefined) return wait.peer;
    return this.#tellers.find((one) => one.key === key)?.title ?? key;
  }
}

/** Longer than any peer that lives and is heard. */
function silenceOf({ silentMs = 0 }: Wait): string {
  return silentMs < 1000 ? '' : `; nothing heard of it for ${humanDuration(silentMs / 1000)}`;
}

/** It waits for nothing but its disk. */
function isIod({ key }: Teller): boolean {
  return key !== 'mgr' && !key.startsWith('session ');
}

function itemsOf(teller: Teller): readonly Item[] {
  const { told } = teller;
  return typeof told === 'string' ? [] : told.waits.map((wait) => ({ teller, wait }));
}

/**
 * What a mount asks for because the kernel has asked it. Some of that is done once for several requests
 * and belongs to none: then what is asked about the same file, or directory, is meant.
 */
function callsFor(request: Wait, inMount: readonly Item[]): readonly Item[] {
  const calls = inMount.filter(({ wait }) => wait.kind === 'call');
  const own = calls.filter(({ wait }) => wait.kernel === request.kernel);
  if (own.length > 0) return own;
  return calls.filter(({ wait }) => wait.kernel === undefined && isOfSameFile(wait, request));
}

function isOfSameFile(a: Wait, b: Wait): boolean {
  return a.handles.some((handle) => b.handles.includes(handle));
}

/** Whether a request waits for something else in the same process. */
function isWaitedFor(request: Wait, other: Wait): boolean {
  const isSameFile = isOfSameFile(other, request);
  const isRecall = other.kind === 'call' && opName(other.op) === recallName;
  const isOfIods = other.kind === 'iod' || (other.kind === 'call' && !isRecall);
  if (request.stage === 'turn') {
    return other.kind === 'request' && other.stage === 'iods' && isSameFile;
  }
  if (request.stage === 'rights') {
    if (other.kind === 'rights') return isSameFile || other.handles.length === 0;
    return isRecall && isSameFile;
  }
  if (request.stage === 'iods') return isOfIods && isSameFile;
  // The end of a session: its iods are told.
  const isOfSession = other.session !== undefined && other.session === request.session;
  return isOfIods && isOfSession && other.handles.length === 0;
}
