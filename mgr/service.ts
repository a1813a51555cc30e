/** Every message that the mgr serves, and what serves it. */
import { Service, type Handler, type Handlers } from '../shared/rpc/service.ts';
import { serveLink } from '../shared/rpc/handshake.ts';
import { version } from '../shared/version.ts';
import type { Attr } from '../shared/wire/values.ts';
import { clusterOps, fileOps, nameOps, sessionOps, syncOps } from '../shared/wire/mgr-ops.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { ClusterPort } from './cluster-port.ts';
import type { Committer } from './committer.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import { admit, type MgrLifecycle } from './lifecycle.ts';
import type { OpenTable } from './open-table.ts';
import { close } from './ops/close.ts';
import { extend } from './ops/extend.ts';
import type { FileScope } from './ops/file-scope.ts';
import { listFiles } from './ops/list-files.ts';
import type { NameHandler } from './ops/name-context.ts';
import { nameHandlers } from './ops/name-handlers.ts';
import { open } from './ops/open.ts';
import { pathOf } from './ops/path-of.ts';
import { reserve } from './ops/reserve.ts';
import type { Recoveries } from './recoveries.ts';
import { attachSession, closeSession, openSession, type SessionScope } from './ops/session-life.ts';
import { setAttrWithSize } from './ops/set-size.ts';
import { type CallScope, requireTrusted, SessionCall } from './session-call.ts';
import type { MetaStore } from './store/meta-store.ts';

export interface ServiceParts {
  readonly lifecycle: MgrLifecycle;
  readonly store: MetaStore;
  readonly openTable: OpenTable;
  readonly cluster: ClusterPort;
  readonly once: ExactlyOnce;
  readonly calls: CallScope;
  readonly files: FileScope;
  readonly sessions: SessionScope;
  readonly recoveries: Recoveries;
  /** Identity of the cluster. */
  readonly clusterId: string;
  readonly startedAt: number;
  /** Memory of this process, bytes. */
  readonly residentBytes: () => number;
}

/** A service that admits by the state of the mgr and answers when the tick is durable. */
export function makeService(lifecycle: MgrLifecycle, committer: Committer): Service {
  return serveLink(
    new Service({
      gate: committer,
      admit: (op) => {
        admit(lifecycle.state, op.traits.class);
      },
    }),
  );
}

export function bindHandlers(service: Service, parts: ServiceParts): void {
  service
    .serve(sessionOps, sessionHandlers(parts.sessions))
    .serve(nameOps, namesHandlers(parts))
    .serve(fileOps, fileHandlers(parts))
    .serve(clusterOps, clusterHandlers(parts))
    .serve(syncOps, parts.cluster.handlers);
}

function sessionHandlers(scope: SessionScope): Handlers<typeof sessionOps> {
  return {
    openSession: (request, context) => openSession(scope, request, context),
    attachSession: (_, context) => attachSession(scope, context),
    closeSession: (_, context) => closeSession(scope, context),
  };
}

function namesHandlers({ calls, once, files, cluster, store }: ServiceParts) {
  const { sizes } = files;
  const read =
    <Q, R>(run: NameHandler<Q, R>): Handler<Q, R> =>
    (request, context) =>
      run(new SessionCall(calls, context), request);
  /** Of a file that somebody writes the iods are asked. */
  const readSize =
    <Q>(run: NameHandler<Q, AttrReply>): Handler<Q, AttrReply> =>
    (request, context) => {
      const reply = run(new SessionCall(calls, context), request);
      if (!sizes.mustAsk(reply.attr.handle)) return reply;
      return sizes.asked(reply.attr).then((attr) => ({ attr }));
    };
  const change = <Q, R>(op: Parameters<typeof once.wrap<Q, R>>[0], run: NameHandler<Q, R>) =>
    once.wrap(op, run);
  const handlers: Handlers<typeof nameOps> = {
    lookup: readSize(nameHandlers.lookup),
    getAttr: readSize(nameHandlers.getAttr),
    setAttr: once.wrap(nameOps.setAttr, (call, request) => setAttrWithSize(files, call, request)),
    access: read(nameHandlers.access),
    readLink: read(nameHandlers.readLink),
    readDirectory: read((call, request) =>
      withDoubts(files, nameHandlers.readDirectory(call, request)),
    ),
    makeNode: change(nameOps.makeNode, nameHandlers.makeNode),
    symlink: change(nameOps.symlink, nameHandlers.symlink),
    link: change(nameOps.link, (call, request) => {
      const { attr } = nameHandlers.link(call, request);
      return { attr: sizes.stored(attr) };
    }),
    unlink: change(nameOps.unlink, nameHandlers.unlink),
    removeDirectory: change(nameOps.removeDirectory, nameHandlers.removeDirectory),
    rename: change(nameOps.rename, nameHandlers.rename),
    getXattr: read(nameHandlers.getXattr),
    listXattrs: read(nameHandlers.listXattrs),
    setXattr: change(nameOps.setXattr, nameHandlers.setXattr),
    removeXattr: change(nameOps.removeXattr, nameHandlers.removeXattr),
    statFs: () => ({ ...cluster.space(), files: store.fileCount() }),
    setDefaults: change(nameOps.setDefaults, nameHandlers.setDefaults),
  };
  return handlers;
}

interface AttrReply {
  readonly attr: Attr;
}
type DirectoryReply = ReplyOf<typeof nameOps.readDirectory>;

/** A page of a directory asks no iods: it says which sizes may be larger by now. */
function withDoubts({ sizes }: FileScope, reply: DirectoryReply): DirectoryReply {
  const entries = reply.entries.map((entry) => {
    if (entry.attr === undefined || !sizes.mustAsk(entry.handle)) return entry;
    return { ...entry, attr: sizes.stored(entry.attr) };
  });
  return { ...reply, entries };
}

function fileHandlers({ once, files }: ServiceParts): Handlers<typeof fileOps> {
  return {
    open: once.wrap(fileOps.open, (call, request) => open(files, call, request)),
    close: once.wrap(fileOps.close, (call, request) => close(files, call, request)),
    extend: once.wrap(fileOps.extend, (call, request) => extend(files, call, request)),
    reserve: once.wrap(fileOps.reserve, (call, request) => reserve(files, call, request)),
  };
}

function clusterHandlers(parts: ServiceParts): Handlers<typeof clusterOps> {
  const { cluster, store, openTable, once } = parts;
  return {
    status: () => statusOf(parts),
    members: cluster.handlers.members,
    listFiles: (request, context) => {
      requireTrusted(context);
      return listFiles(store, openTable, request);
    },
    pathOf: ({ handle }, context) => {
      requireTrusted(context);
      return { path: pathOf(store, handle) };
    },
    pingIods: cluster.handlers.pingIods,
    recoveries: ({ iod, before }, context) => {
      requireTrusted(context);
      if (iod === undefined) return parts.recoveries.log.page(before);
      return cluster.recoveriesOf(iod, before, context.deadline);
    },
    evictIod: once.wrap(clusterOps.evictIod, (call, request) => {
      requireTrusted(call.context);
      return cluster.handlers.evictIod(request);
    }),
  };
}

function statusOf(parts: ServiceParts): ReplyOf<typeof clusterOps.status> {
  const { clusterId, lifecycle, calls, startedAt, store, openTable, cluster } = parts;
  const members = cluster.members();
  const away = members.filter(({ state }) => state !== 'serving').map(({ name }) => name);
  return {
    cluster: clusterId,
    version,
    state: lifecycle.state,
    uptimeMs: Math.floor(calls.clock.now() - startedAt),
    files: store.fileCount(),
    sessions: calls.sessions.count,
    opens: openTable.size,
    reaping: store.pendingCount(),
    openSequence: openTable.sequence,
    residentBytes: parts.residentBytes(),
    members,
    recovery: parts.recoveries.state(away),
    absences: cluster
      .absences()
      .map(({ leftMs, ...rest }) => ({ ...rest, leftMs: leftMs && Math.round(leftMs) })),
  };
}
