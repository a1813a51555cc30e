/**
 * A client that does what a script says, one request after another, none before its time, and
 * tells the reference model of each. An object of the trace is a file that lies on that iod alone.
 */
import { constants } from 'node:fs';
import { connect } from '../../client/connect.ts';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { ScriptRequest } from '../../shared/trace/script.ts';
import { clusterUrl, secret } from './cluster.ts';
import { type Act, ContentHistory } from './content-history.ts';
import { isExcused, type WorkloadOptions } from './lane.ts';
import type { NameCall } from './name-model.ts';
import type { Outcome } from './linearizer.ts';

interface OpenFile {
  readonly file: File;
  readonly history: ContentHistory;
  /** Written and not yet synced. */
  dirty: Act[];
}

const control = { deadlineMs: limits.callDeadlineDefaultMs };
const afterFailureMs = 20;
const openMode = constants.O_RDWR | constants.O_CREAT;

export class ScriptedClient {
  readonly #name: string;
  readonly #requests: readonly ScriptRequest[];
  readonly #options: WorkloadOptions;
  readonly #open = new Map<string, OpenFile>();
  readonly #underWay = new Set<(session: number) => void>();
  #fs: FileSystem | undefined;
  #session = 0;
  #next = 0;
  #names = 0;

  constructor(name: string, requests: readonly ScriptRequest[], options: WorkloadOptions) {
    this.#name = name;
    this.#requests = requests;
    this.#options = options;
  }

  /** @param more told of each request */
  async run(runtime: Runtime, more: () => boolean): Promise<void> {
    for (let request = this.#requests[this.#next]; request !== undefined;) {
      const waitMs = request.atMs - this.#options.now();
      if (waitMs > 0) await pause(runtime, waitMs);
      // A request at which the process dies is not tried again in its next life.
      this.#next++;
      more();
      try {
        await this.#perform(await this.#connected(runtime), request);
      } catch (error) {
        if (!isExcused(error, this.#options)) throw error;
        await this.#leave();
        await pause(runtime, afterFailureMs);
      }
      request = this.#requests[this.#next];
    }
    await this.#leave();
  }

  died(): void {
    for (const forget of this.#underWay) forget(this.#session);
    this.#underWay.clear();
    this.#open.clear();
    this.#fs = undefined;
  }

  async #connected(runtime: Runtime): Promise<FileSystem> {
    const options = { runtime, key: secret, name: this.#name, uid: 0, gid: 0, umask: 0 };
    this.#fs ??= await connect(clusterUrl, { ...options, ...control });
    this.#session = this.#fs.session.session.id;
    return this.#fs;
  }

  /** Whatever it had open is closed with the session. */
  async #leave(): Promise<void> {
    const fs = this.#fs;
    this.#fs = undefined;
    this.#open.clear();
    await fs?.close();
  }

  async #perform(fs: FileSystem, request: ScriptRequest): Promise<void> {
    const { model } = this.#options;
    if (request.kind === 'change') {
      const path = `/${this.#name}-${this.#names++}`;
      await this.#judged({ kind: 'mkdir', path }, async () => {
        await fs.mkdir(path, control);
        return { text: 'done' };
      });
    } else if (!model.names.isOverwhelmed) {
      const open = await this.#fileOf(fs, request);
      if (open) await this.#useFile(open, request);
    }
  }

  async #useFile(open: OpenFile, { kind, offset, bytes }: ScriptRequest): Promise<void> {
    if (kind === 'write') await this.#write(open, offset, bytes);
    else if (kind === 'read') await this.#read(open, offset, bytes);
    else {
      const { dirty } = open;
      await open.file.sync(control);
      for (const act of dirty) act.isStable = true;
      open.dirty = open.dirty.filter((act) => !act.isStable);
    }
  }

  async #write({ file, history, dirty }: OpenFile, offset: number, bytes: number): Promise<void> {
    const { model, now } = this.#options;
    const value = history.nextValue();
    if (value === undefined || bytes === 0) return;
    const act = history.beginWrite(value, now(), { from: offset, to: offset + bytes });
    await this.#during(
      (session) => {
        model.forgetAct(act, session);
      },
      async () => {
        await file.write(Buffer.alloc(bytes, value), offset, control);
        ContentHistory.done(act, now());
        dirty.push(act);
      },
    );
  }

  async #read({ file, history }: OpenFile, offset: number, bytes: number): Promise<void> {
    const { now } = this.#options;
    const into = Buffer.alloc(bytes, 255);
    const begin = now();
    const count = await file.read(into, offset, control);
    history.checkRead(offset, into.subarray(0, count), { begin, end: now() });
  }

  async #fileOf(fs: FileSystem, { iod, handle }: ScriptRequest): Promise<OpenFile | undefined> {
    const path = `/${iod}-${handle}`;
    const known = this.#open.get(path);
    if (known) return known;
    let file: File | undefined;
    await this.#judged({ kind: 'open', path, create: true, exclusive: false }, async () => {
      const layout = { base: iod, pcount: 1, ssize: limits.stripeBytesMax };
      file = await fs.open(path, openMode, { layout, mode: 0o644, ...control });
      return { text: 'open', ino: file.handle };
    });
    if (file === undefined) return undefined;
    const open = { file, history: this.#options.model.file(file.handle, file.layout), dirty: [] };
    this.#open.set(path, open);
    return open;
  }

  async #judged(call: NameCall, run: () => Promise<Outcome>): Promise<void> {
    const { model } = this.#options;
    const id = model.beginName(call);
    await this.#during(
      (session) => {
        model.forgetName(id, session);
      },
      async () => {
        try {
          model.endName(id, await run());
        } catch (error) {
          if (!isFsError(error) || isExcused(error, this.#options)) throw error;
          model.endName(id, { text: error.code });
        }
      },
    );
  }

  /** @param forget what is done when nobody will know how it ended */
  async #during(forget: (session: number) => void, run: () => Promise<void>): Promise<void> {
    this.#underWay.add(forget);
    try {
      await run();
    } catch (error) {
      if (this.#underWay.has(forget)) forget(this.#session);
      throw error;
    } finally {
      this.#underWay.delete(forget);
    }
  }
}

function pause({ clock }: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(ms, resolve);
  });
}
