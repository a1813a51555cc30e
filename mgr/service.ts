/** Every message that the mgr serves, and what serves it. */
import { type AnswerMeter, Service, type Handler, type Handlers } from '../shared/rpc/service.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import { serveLink } from '../shared/rpc/handshake.ts';
import type { RequestMeter } from '../shared/metrics/request-meter.ts';
import { version } from '../shared/version.ts';
import type { Attr, LoadPage } from '../shared/wire/values.ts';
import { clusterOps } from '../shared/wire/cluster-ops.ts';
import { iodOps } from '../shared/wire/iod-ops.ts';
import { fileOps, nameOps, sessionOps } from '../shared/wire/mgr-ops.ts';
import { syncOps } from '../shared/wire/sync-ops.ts';
import type { ReplyOf, RequestOf } from '../shared/wire/op.ts';
import { watchOps } from '../shared/wire/watch-ops.ts';
import type { ClusterPort } from './cluster-port.ts';
import type { Committer } from './committer.ts';
import type { EventLog } from './event-log.ts';
import type { Drills } from './drills.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import type { Lends } from './lends.ts';
import { admit, type MgrLifecycle } from './lifecycle.ts';
import { resolve } from './namespace/path.ts';
import type { OpenTable } from './open-table.ts';
import { abandon } from './ops/abandon.ts';
import { borrow } from './ops/borrow.ts';
import { close } from './ops/close.ts';
import { drill } from './ops/drill.ts';
import { extend } from './ops/extend.ts';
import type { FileScope } from './ops/file-scope.ts';
import type { FinishAgain } from './ops/finish-again.ts';
import { listFiles } from './ops/list-files.ts';
import { listHolders, listOpenFiles, listOpenTimes, listSessions } from './ops/list-sessions.ts';
import type { NameHandler } from './ops/name-context.ts';
import { nameHandlers } from './ops/name-handlers.ts';
import { open, openNew } from './ops/open.ts';
import { pathOf } from './ops/path-of.ts';
import { renew } from './ops/renew.ts';
import { reserve } from './ops/reserve.ts';
import { moveOut, readSmall, readWhole, writeSmall } from './ops/small-bytes.ts';
import type { Recoveries } from './recoveries.ts';
import type { ReplyCache } from './reply-cache.ts';
import type { Retention } from './retention.ts';
import type { Rights } from './rights.ts';
import {
  attachSession,
  cacheNames,
  closeSession,
  declareOpens,
  openSession,
  type SessionScope,
} from './ops/session-life.ts';
import { setAttrWithSize, withDoubt } from './ops/set-size.ts';
import { makeLentNode } from './ops/names/make-node.ts';
import { settle } from './ops/settle.ts';
import { settleNames } from './ops/settle-names.ts';
import { takeHandles } from './ops/take-handles.ts';
import { waitsIn } from './ops/waits-in.ts';
import { whenHere } from './ops/when-here.ts';
import { readFile, writeFile } from './ops/whole-file.ts';
import {
  type CallScope,
  requireTrusted,
  requireWritable,
  SessionCall,
  sessionOf,
} from './session-call.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { TickChanges } from './tick-changes.ts';
import type { Tickets } from './tickets.ts';
import type { Watches } from './watches.ts';

export interface ServiceParts {
  readonly lifecycle: MgrLifecycle;
  readonly store: MetaStore;
  readonly openTable: OpenTable;
  readonly cluster: ClusterPort;
  readonly once: ExactlyOnce;
  readonly tick: TickChanges;
  readonly replies: ReplyCache;
  readonly finished: FinishAgain;
  readonly rights: Rights;
  readonly lends: Lends;
  readonly retention: Retention;
  readonly watches: Watches;
  readonly calls: CallScope;
  readonly files: FileScope;
  readonly sessions: SessionScope;
  readonly tickets: Tickets;
  readonly drills: Drills;
  readonly recoveries: Recoveries;
  /** Identity of the cluster. */
  readonly clusterId: string;
  readonly startedAt: number;
  /** Memory of this process, bytes. */
  readonly residentBytes: () => number;
  readonly meter: RequestMeter;
  /** What each client has cost. */
  readonly clientLoads: () => LoadPage['clients'];
  readonly events: Pick<EventLog, 'page'>;
  /** What waits in this mgr. */
  readonly waits: () => Iterable<Waiting>;
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
    .serve(sessionOps, sessionHandlers(parts))
    .serve(nameOps, namesHandlers(parts))
    .serve(fileOps, fileHandlers(parts))
    .serve(clusterOps, clusterHandlers(parts))
    .serve(watchOps, watchHandlers(parts))
    .serve(syncOps, parts.cluster.handlers);
}

function sessionHandlers(parts: ServiceParts): Handlers<typeof sessionOps> {
  const { sessions: scope, once } = parts;
  return {
    openSession: (request, context) => openSession(scope, request, context),
    attachSession: (request, context) => attachSession(scope, request, context),
    closeSession: (_, context) => closeSession(scope, context),
    cache: (request, context) => cacheNames(scope, request, context),
    declare: (request, context) => declareOpens(scope, request, context),
    abandon: once.wrap(sessionOps.abandon, (call, request) => abandon(parts, call, request)),
  };
}

function namesHandlers(parts: ServiceParts) {
  const { calls, once, files, cluster, store, rights, lends, retention } = parts;
  const { sizes } = files;
  const readSize = sizeReader(parts);
  const read = <Q, R>(run: NameHandler<Q, R>): Handler<Q, R> =>
    whenHere((request, context) => run(new SessionCall(calls, context), request));
  const change = <Q, R>(op: Parameters<typeof once.wrap<Q, R>>[0], run: NameHandler<Q, R>) =>
    once.wrap(op, run);
  const handlers: Handlers<typeof nameOps> = {
    lookup: readSize(nameHandlers.lookup),
    getAttr: readSize(nameHandlers.getAttr),
    storedAttr: whenHere((request, context) =>
      storedAttr(parts, new SessionCall(calls, context), request),
    ),
    setAttr: once.wrap(nameOps.setAttr, (call, request) =>
      setAttrWithSize(files, lends, call, request),
    ),
    access: read(nameHandlers.access),
    readLink: read(nameHandlers.readLink),
    readDirectory: whenHere((request, context) => {
      const call = new SessionCall(calls, context);
      // Who lists what is lent to him has told what he has done there.
      const list = () => nameHandlers.readDirectory(call, request);
      const page = lends.asHolder(call.who.session, list);
      for (const { attr } of page.entries) if (attr !== undefined) lends.requireKnown(attr);
      return granted(rights, context.connection, withDoubts(files, page));
    }),
    makeNode: once.wrap(nameOps.makeNode, (call, request) => makeLentNode(parts, call, request)),
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
    takeHandles: (_, context) => takeHandles(calls, context),
    setDefaults: change(nameOps.setDefaults, (call, request) => {
      const reply = nameHandlers.setDefaults(call, request);
      if (request.retentionSeconds !== undefined) retention.keep(reply.attr.handle);
      return reply;
    }),
  };
  return handlers;
}

/** Of a file that somebody writes, or that may have holes, the iods are asked. */
function sizeReader({ calls, files, rights, lends }: ServiceParts) {
  const { sizes } = files;
  return <Q>(run: NameHandler<Q, AttrReply>): Handler<Q, AttrReply> =>
    whenHere((request, context) => {
      const call = new SessionCall(calls, context);
      const { attr } = run(call, request);
      lends.requireKnown(attr);
      const { handle, holes } = attr;
      const grant = (told: Attr) => ({ attr: rights.grant(context.connection, told) });
      if (holes !== undefined && !sizes.mustAsk(handle)) return grant(attr);
      const before = call.view.inode(handle);
      return sizes.asked(attr, context).then((asked) => {
        const isAsBefore = call.view.inode(handle) === before && !lends.isLent(handle);
        return isAsBefore ? grant(asked) : { attr: asked };
      });
    });
}

function storedAttr(
  { files, lends }: Pick<ServiceParts, 'files' | 'lends'>,
  call: SessionCall,
  request: RequestOf<typeof nameOps.storedAttr>,
): AttrReply {
  // Who writes a file that is lent to him has ended his writes, and says himself how far they go.
  return lends.asHolder(call.who.session, () => {
    const reply = nameHandlers.storedAttr(call, request);
    lends.requireKnown(reply.attr);
    return withDoubt(files, call, reply);
  });
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

function fileHandlers(parts: ServiceParts): Handlers<typeof fileOps> {
  const { calls, once, files, lends, tick } = parts;
  return {
    open: once.wrap(fileOps.open, (call, request) =>
      request.handle === undefined
        ? open(files, call, request)
        : openNew(files, lends, call, request),
    ),
    close: once.wrap(fileOps.close, (call, request) => close(files, call, request)),
    extend: once.wrap(fileOps.extend, (call, request) =>
      lends.asHolder(call.who.session, () => extend(files, call, request)),
    ),
    reserve: once.wrap(fileOps.reserve, (call, request) => reserve(files, call, request)),
    flush() {
      // The answer leaves after the commit.
      calls.view.requireDisk();
      return {};
    },
    borrow: whenHere((request, context) => borrow(parts, new SessionCall(calls, context), request)),
    renew: whenHere((request, context) => renew(files, new SessionCall(calls, context), request)),
    readSmall: whenHere((request, context) =>
      readSmall(files, new SessionCall(calls, context), request),
    ),
    readWhole: (request, context) =>
      readWhole(files, lends, new SessionCall(calls, context), request),
    writeSmall: once.wrap(fileOps.writeSmall, (call, request) => writeSmall(files, call, request)),
    readFile: whenHere((request, context) =>
      readFile(files, lends, new SessionCall(calls, context), request),
    ),
    writeFile: once.wrap(fileOps.writeFile, (call, request) =>
      writeFile(files, tick, call, request),
    ),
    moveOut: once.wrap(fileOps.moveOut, (call, request) => moveOut(files, call, request)),
    settleNames: once.wrap(fileOps.settleNames, (call, request) =>
      settleNames(parts, call, request),
    ),
    settle: once.wrap(fileOps.settle, (call, request) => settle(files, lends, call, request)),
  };
}

function watchHandlers({ calls, watches }: ServiceParts): Handlers<typeof watchOps> {
  return {
    watch: whenHere((wish, context) => {
      watches.add(context.connection, sessionOf(calls.sessions, context), wish);
      return {};
    }),
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
    listFiles: trusted((request) => listFiles(store, openTable, request)),
    pathOf: trusted(({ handle }) => ({ path: pathOf(store, handle) })),
    sessions: trusted((request) =>
      listSessions({ sessions: parts.calls.sessions, openTable }, request),
    ),
    openFiles: trusted((request) =>
      listOpenFiles({ sessions: parts.calls.sessions, openTable }, request),
    ),
    holders: trusted((request) =>
      listHolders({ sessions: parts.calls.sessions, openTable }, request),
    ),
    pingIods: cluster.handlers.pingIods,
    recoveries: trusted(({ iod, before }, context) => {
      if (iod === undefined) return parts.recoveries.log.page(before);
      return cluster.ask(iod, iodOps.ownRecoveries, { before }, context.deadline);
    }),
    handleOf: whenHere(({ at }, context) => {
      const { handle } = resolve(new SessionCall(parts.calls, context), at, true);
      return { handle };
    }),
    openTimes: trusted((request) => listOpenTimes(openTable, request)),
    loads: trusted(({ iod }, context) => {
      if (iod === undefined) return { clients: parts.clientLoads(), files: [] };
      return cluster.ask(iod, iodOps.ownLoads, {}, context.deadline);
    }),
    events: trusted(({ after }) => parts.events.page(after)),
    waits: trusted((request, context) => waitsIn(parts, request, context)),
    makeTicket: trusted(({ write }, context) => {
      requireWritable(clusterOps.makeTicket, undefined, context);
      return parts.tickets.make(sessionOf(parts.calls.sessions, context), !write);
    }),
    drill: trusted((request, context) => drill(parts, request, context)),
    evictIod: once.wrap(clusterOps.evictIod, (call, request) => {
      requireTrusted(call.context);
      return cluster.handlers.evictIod(request);
    }),
  };
}

/** For whoever has proved the key of the cluster. */
function trusted<Q, R>(run: Handler<Q, R>): Handler<Q, R> {
  return (request, context) => {
    requireTrusted(context);
    return run(request, context);
  };
}

/** The cluster at a glance; nobody is asked. */
export function statusOf(parts: ServiceParts): ReplyOf<typeof clusterOps.status> {
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
