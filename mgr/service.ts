/** Every message that the mgr serves, and what serves it. */
import { type AnswerMeter, Service, type Handler, type Handlers } from '../shared/rpc/service.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import { serveLink } from '../shared/rpc/handshake.ts';
import type { RequestMeter } from '../shared/metrics/request-meter.ts';
import { version } from '../shared/version.ts';
import type { Attr } from '../shared/wire/values.ts';
import { clusterOps } from '../shared/wire/cluster-ops.ts';
import { fileOps, nameOps, sessionOps } from '../shared/wire/mgr-ops.ts';
import { syncOps } from '../shared/wire/sync-ops.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import { watchOps } from '../shared/wire/watch-ops.ts';
import type { ClusterPort } from './cluster-port.ts';
import type { Committer } from './committer.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import { admit, type MgrLifecycle } from './lifecycle.ts';
import type { OpenTable } from './open-table.ts';
import { close } from './ops/close.ts';
import { extend } from './ops/extend.ts';
import type { FileScope } from './ops/file-scope.ts';
import { listFiles } from './ops/list-files.ts';
import { listHolders, listOpenFiles, listSessions } from './ops/list-sessions.ts';
import type { NameHandler } from './ops/name-context.ts';
import { nameHandlers } from './ops/name-handlers.ts';
import { open } from './ops/open.ts';
import { pathOf } from './ops/path-of.ts';
import { reserve } from './ops/reserve.ts';
import type { Recoveries } from './recoveries.ts';
import type { Rights } from './rights.ts';
import {
  attachSession,
  cacheNames,
  closeSession,
  openSession,
  type SessionScope,
} from './ops/session-life.ts';
import { setAttrWithSize } from './ops/set-size.ts';
import {
  type CallScope,
  requireTrusted,
  requireWritable,
  SessionCall,
  sessionOf,
} from './session-call.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { Tickets } from './tickets.ts';
import type { Watches } from './watches.ts';

export interface ServiceParts {
  readonly lifecycle: MgrLifecycle;
  readonly store: MetaStore;
  readonly openTable: OpenTable;
  readonly cluster: ClusterPort;
  readonly once: ExactlyOnce;
  readonly rights: Rights;
  readonly watches: Watches;
  readonly calls: CallScope;
  readonly files: FileScope;
  readonly sessions: SessionScope;
  readonly tickets: Tickets;
  readonly recoveries: Recoveries;
  /** Identity of the cluster. */
  readonly clusterId: string;
  readonly startedAt: number;
  /** Memory of this process, bytes. */
  readonly residentBytes: () => number;
  readonly meter: RequestMeter;
}

/** A service that admits by the state of the mgr and answers when the tick is durable. */
export function makeService(
  lifecycle: MgrLifecycle,
  committer: Committer,
  meter: AnswerMeter,
): Service {
  return serveLink(
    new Service({
      gate: committer,
      meter,
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
    .serve(watchOps, watchHandlers(parts))
    .serve(syncOps, parts.cluster.handlers);
}

function sessionHandlers(scope: SessionScope): Handlers<typeof sessionOps> {
  return {
    openSession: (request, context) => openSession(scope, request, context),
    attachSession: (_, context) => attachSession(scope, context),
    closeSession: (_, context) => closeSession(scope, context),
    cache: (_, context) => cacheNames(scope, context),
  };
}

function namesHandlers({ calls, once, files, cluster, store, rights }: ServiceParts) {
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
      if (!sizes.mustAsk(reply.attr.handle)) {
        return { attr: rights.grant(context.connection, reply.attr) };
      }
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
    readDirectory: (request, context) => {
      const page = nameHandlers.readDirectory(new SessionCall(calls, context), request);
      return granted(rights, context.connection, withDoubts(files, page));
    },
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

/** With the right to the names of the directory, and to the attributes that are told. */
function granted(rights: Rights, connection: Connection, reply: DirectoryReply): DirectoryReply {
  const entries = reply.entries.map((entry) =>
    entry.attr === undefined ? entry : { ...entry, attr: rights.grant(connection, entry.attr) },
  );
  return { ...reply, directory: rights.grant(connection, reply.directory), entries };
}

function fileHandlers({ once, files }: ServiceParts): Handlers<typeof fileOps> {
  return {
    open: once.wrap(fileOps.open, (call, request) => open(files, call, request)),
    close: once.wrap(fileOps.close, (call, request) => close(files, call, request)),
    extend: once.wrap(fileOps.extend, (call, request) => extend(files, call, request)),
    reserve: once.wrap(fileOps.reserve, (call, request) => reserve(files, call, request)),
  };
}

function watchHandlers({ calls, watches }: ServiceParts): Handlers<typeof watchOps> {
  return {
    watch(wish, context) {
      watches.add(context.connection, sessionOf(calls.sessions, context), wish);
      return {};
    },
    unwatch({ watch }, { connection }) {
      watches.remove(connection, watch);
      return {};
    },
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
    sessions: (request, context) => {
      requireTrusted(context);
      return listSessions({ sessions: parts.calls.sessions, openTable }, request);
    },
    openFiles: (request, context) => {
      requireTrusted(context);
      return listOpenFiles({ sessions: parts.calls.sessions, openTable }, request);
    },
    holders: (request, context) => {
      requireTrusted(context);
      return listHolders({ sessions: parts.calls.sessions, openTable }, request);
    },
    pingIods: cluster.handlers.pingIods,
    recoveries: ({ iod, before }, context) => {
      requireTrusted(context);
      if (iod === undefined) return parts.recoveries.log.page(before);
      return cluster.recoveriesOf(iod, before, context.deadline);
    },
    makeTicket: ({ write }, context) => {
      requireTrusted(context);
      requireWritable(clusterOps.makeTicket, undefined, context);
      return parts.tickets.make(sessionOf(parts.calls.sessions, context), !write);
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
    sessionsAway: calls.sessions.awayCount,
    opens: openTable.size,
    reaping: store.pendingCount(),
    hasRoom: store.hasRoom,
    openSequence: openTable.sequence,
    residentBytes: parts.residentBytes(),
    ...parts.meter.totals(),
    members,
    recovery: parts.recoveries.state(away),
    absences: cluster
      .absences()
      .map(({ leftMs, ...rest }) => ({ ...rest, leftMs: leftMs && Math.round(leftMs) })),
  };
}
