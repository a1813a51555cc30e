/** `Net` of a page: it connects to daemons by WebSocket, as far as browser and daemon let it. */
import { FsError } from '../../errno.ts';
import { rpcPath, stockProtocol } from '../upgrade-names.ts';
import { connectError, endpointText, notWeftError } from '../net-errors.ts';
import type { Channel, ChannelHandlers, Clock, Endpoint, Net, Random } from '../runtime.ts';
import { PageChannel } from './page-channel.ts';
import type { MakeSocket, PageSocket } from './page-socket.ts';

export interface PageNetSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly makeSocket: MakeSocket;
}

/** Of none of the hosts that have daemons; so nobody offers a unix socket. */
const hostIdBytes = 16;

export function makePageNet({ clock, random, makeSocket }: PageNetSettings): Net {
  const hostId = `page ${random.bytes(hostIdBytes).join('.')}`;
  return {
    hostId,
    bootId: hostId,
    loopbackId: '',
    connect: (endpoint, { timeoutMs }, handlers) =>
      connectPage({ endpoint, timeoutMs, handlers }, clock, makeSocket),
    // Browsers resolve names themselves, and tell nobody.
    resolve: async (host) => Promise.resolve([host]),
    async listen() {
      await Promise.resolve();
      throw new FsError('ENOSYS', { what: 'nobody can connect to a page' });
    },
  };
}

interface Attempt {
  readonly endpoint: Endpoint;
  readonly timeoutMs: number;
  readonly handlers: ChannelHandlers;
}

async function connectPage(
  { endpoint, timeoutMs, handlers }: Attempt,
  clock: Clock,
  makeSocket: MakeSocket,
): Promise<Channel> {
  if (endpoint.kind === 'unix') {
    throw new FsError('ENOSYS', { what: `a page cannot reach ${endpointText(endpoint)}` });
  }
  const socket = open(endpoint, makeSocket);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    const fail = (error: FsError): void => {
      timer.cancel();
      reject(error);
    };
    const timer = clock.timer(timeoutMs, () => {
      fail(connectError(endpoint, new FsError('ETIMEDOUT', { what: `after ${timeoutMs} ms` })));
      socket.close();
    });
    // Before it is open: a browser keeps to itself why not, lest pages look around in a network.
    socket.addEventListener('error', () => fail(untold(endpoint)));
    socket.addEventListener('close', () => fail(untold(endpoint)));
    socket.addEventListener('open', () => {
      timer.cancel();
      resolve(new PageChannel(endpoint, socket, clock, handlers));
    });
  });
}

function open(endpoint: Endpoint, makeSocket: MakeSocket): PageSocket {
  try {
    return new makeSocket(`ws://${endpointText(endpoint)}${rpcPath}`, [stockProtocol]);
  } catch (error: unknown) {
    // A page that came by https may not go on without TLS.
    throw notWeftError(endpoint, error instanceof Error ? error.message : String(error));
  }
}

function untold(endpoint: Endpoint): FsError {
  return new FsError('ECONNREFUSED', {
    what:
      `connect to ${endpointText(endpoint)}: the browser does not say why it failed; ` +
      'nobody listens there, or the daemon does not allow this origin (--allow-origin)',
  });
}
