/** What `weft fsck` asks of the mgr and of each iod, page by page. */
import { FsError, isFsError } from '../../../shared/errno.ts';
import type { Connection } from '../../../shared/rpc/connection.ts';
import type { Credential } from '../../../shared/rpc/handshake.ts';
import { displayText, type Handle } from '../../../shared/units.ts';
import { dataOps } from '../../../shared/wire/iod-ops.ts';
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import type { Op, ReplyOf } from '../../../shared/wire/op.ts';
import type { Member } from '../../../shared/wire/values.ts';
import type { FileSystem } from '../../file-system.ts';
import { type Asker, connectTo, prove, soon } from '../direct-connection.ts';
import type { FileRow, ObjectRow } from './audit.ts';

export type Quarantined = ReplyOf<typeof dataOps.listQuarantine>['entries'][number];

/** The mgr's side. */
export class MgrListing {
  readonly #fs: FileSystem;
  readonly #asker: Asker;

  constructor(fs: FileSystem, asker: Asker) {
    this.#fs = fs;
    this.#asker = asker;
  }

  async *files(): AsyncGenerator<FileRow> {
    let after = 0 as Handle;
    for (;;) {
      const { files, done } = await this.#call(clusterOps.listFiles, { after });
      yield* files;
      const last = files.at(-1);
      if (done || last === undefined) return;
      after = last.handle;
    }
  }

  /** One file as it is now. */
  async file(handle: Handle): Promise<FileRow | undefined> {
    const { files } = await this.#call(clusterOps.listFiles, { after: (handle - 1) as Handle });
    return files[0]?.handle === handle ? files[0] : undefined;
  }

  /** One of its paths; `undefined` when no name leads to it. */
  async path(handle: Handle): Promise<string | undefined> {
    try {
      return displayText((await this.#call(clusterOps.pathOf, { handle })).path);
    } catch {
      return undefined; // A report without the path is better than no report.
    }
  }

  #call<Q, R>(op: Op<Q, R>, request: Q): Promise<R> {
    return this.#fs.session.call(op, request, { deadline: soon(this.#asker) });
  }
}

/** One iod's side, with the key of the cluster. */
export class IodListing {
  readonly member: Member;
  readonly #asker: Asker;
  readonly #connection: Connection;

  private constructor(member: Member, asker: Asker, connection: Connection) {
    this.member = member;
    this.#asker = asker;
    this.#connection = connection;
  }

  /** @throws FsError when it cannot be reached */
  static async open(asker: Asker, member: Member, credential: Credential): Promise<IodListing> {
    const { name, host, port } = member;
    if (port === 0) {
      throw new FsError('ECONNREFUSED', { id: 'WEFT_E_IOD_DOWN', what: `${name} never started` });
    }
    const connection = await connectTo(asker, { kind: 'tcp', host, port });
    await prove(connection, asker, credential, 'iod');
    return new IodListing(member, asker, connection);
  }

  async *objects(): AsyncGenerator<ObjectRow> {
    let after = 0 as Handle;
    for (;;) {
      const { objects, done } = await this.#call(dataOps.listObjects, { after });
      yield* objects;
      const last = objects.at(-1);
      if (done || last === undefined) return;
      after = last.handle;
    }
  }

  /** One object as it is now. */
  async object(handle: Handle): Promise<ObjectRow | undefined> {
    const { objects } = await this.#call(dataOps.listObjects, { after: (handle - 1) as Handle });
    return objects[0]?.handle === handle ? objects[0] : undefined;
  }

  async *quarantine(): AsyncGenerator<Quarantined> {
    let after = '';
    for (;;) {
      const { entries, done } = await this.#call(dataOps.listQuarantine, { after });
      yield* entries;
      const last = entries.at(-1);
      if (done || last === undefined) return;
      after = last.id;
    }
  }

  async resolve(id: string, action: 'restore' | 'discard'): Promise<void> {
    await this.#call(dataOps.resolveQuarantine, { id, action });
  }

  /** @returns false when it is not there any more */
  async setAside(handle: Handle, reason: string): Promise<boolean> {
    try {
      await this.#call(dataOps.setAside, { handle, reason });
      return true;
    } catch (error) {
      if (isFsError(error) && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  close(): void {
    this.#connection.close(new FsError('ECANCELED'));
  }

  #call<Q, R>(op: Op<Q, R>, request: Q): Promise<R> {
    return this.#connection.call(op, request, { deadline: soon(this.#asker) });
  }
}
