/** Clients of the mgr's own host, at the unix socket whose name follows from its port. */
import { once } from 'node:events';
import * as net from 'node:net';
import test from 'ava';
import { connect, type FileSystem } from '../../client/index.ts';
import { endpointNamed } from '../../shared/runtime/abstract-name.ts';
import { systemPath } from '../../shared/runtime/node/unix-socket.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { TestCluster } from './cluster-fixture.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

function nameAt(port: number): string {
  return systemPath(endpointNamed(`weftfs/mgr/127.0.0.1:${port}`));
}

/** Whence the mgr sees this client. */
async function seenFrom(fs: FileSystem): Promise<string | undefined> {
  const { session, runtime } = fs.session;
  const deadline = runtime.clock.now() + 60_000;
  const { sessions } = await fs.session.call(clusterOps.sessions, { after: 0 }, { deadline });
  return sessions.find((one) => one.session === session.id)?.host;
}

interface Squatter {
  readonly came: number;
  close(): Promise<void>;
}

/** Somebody who has the name in place of a mgr. */
async function squat(name: string, talk: (socket: net.Socket) => void): Promise<Squatter> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    talk(socket);
  });
  server.listen(name);
  await once(server, 'listening');
  return {
    get came() {
      return sockets.size;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), 'close');
    },
  };
}

onLinux(
  'a client of the same host comes over the unix socket, also after the mgr was killed',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1 });
    const fs = await cluster.connect();
    t.is(await seenFrom(fs), 'local');
    await fs.writeFile('/file', 'before');
    await cluster.mgr.kill();
    await cluster.mgr.start();
    t.is(String(await fs.readFile('/file')), 'before');
    t.is(await seenFrom(fs), 'local');
    t.regex((await cluster.weft('sessions')).stdout, / local +/);

    const { port } = cluster.mgr.spec;
    // The same address in a form that is none of loopback, as that of another host would be.
    const elsewhere = cluster.url.replace('127.0.0.1', '[::ffff:127.0.0.1]');
    const far = await connect(elsewhere);
    t.teardown(() => far.close());
    t.is(await seenFrom(far), '127.0.0.1');

    const other = await TestCluster.start(t, { iods: 1 });
    t.not(other.mgr.spec.port, port);
    const fsOfOther = await other.connect();
    t.is(await seenFrom(fsOfOther), 'local');
    t.deepEqual(await fsOfOther.readdir('/'), []);
  },
);

onLinux(
  "behind a port without a mgr of this host the name is nobody's, and whoever takes it gets nothing",
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 1, proxied: true });
    const proxied = cluster.routes.mgr.port;
    t.is(await seenFrom(await cluster.connect()), '127.0.0.1');

    const { port } = cluster.mgr.spec;
    const ways: Readonly<Record<string, (socket: net.Socket) => void>> = {
      'hands on to the port of the mgr': (socket) => pass(socket, net.connect(port, '127.0.0.1')),
      'hands on to the name of the mgr': (socket) => pass(socket, net.connect(nameAt(port))),
      'is no mgr': (socket) => socket.end('SSH-2.0-thief\r\n'),
      'says nothing': () => undefined,
    };
    for (const [way, talk] of Object.entries(ways)) {
      const squatter = await squat(nameAt(proxied), talk);
      t.teardown(() => squatter.close());
      const fs = await cluster.connect();
      t.true(squatter.came > 0, way);
      t.is(await seenFrom(fs), '127.0.0.1', way);
      await fs.close();
      await squatter.close();
    }
  },
);

function pass(from: net.Socket, to: net.Socket): void {
  to.on('error', () => from.destroy());
  from.on('close', () => to.destroy());
  from.pipe(to).pipe(from);
}

onLinux('a mgr whose name somebody has does not start, and says which', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 1 });
  const fs = await cluster.connect();
  await cluster.mgr.kill();
  const name = nameAt(cluster.mgr.spec.port);
  const thief = await squat(name, (socket) => socket.destroy());
  t.teardown(() => thief.close());
  await t.throwsAsync(cluster.mgr.start());
  const log = await cluster.mgr.logText();
  t.regex(log, /WEFT_E_PORT_TAKEN/);
  t.true(log.includes(`unix:@${name.slice(1).trimEnd()}:`), log);
  await thief.close();
  await cluster.mgr.start();
  await fs.readdir('/');
  t.is(await seenFrom(fs), 'local');
});
