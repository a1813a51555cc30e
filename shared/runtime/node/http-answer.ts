/** Plain HTTP beside the channels: one GET a connection, answered by the listener's `http`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { isLoopback } from '../../loopback.ts';
import type { HttpReply, ListenOptions, Logger } from '../runtime.ts';
import { isLocalHost } from './handshake.ts';

const compress = promisify(gzip);
/** Less of it fits in a packet of the network anyway. */
const compressedBytesMin = 1400;

function text(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

async function replyTo(request: IncomingMessage, options: ListenOptions): Promise<HttpReply> {
  if (options.http === undefined) return text(404, 'nothing is served over HTTP here');
  const { endpoint } = options;
  const { host } = request.headers;
  // A page whose name was made to lead here (DNS rebinding) could read the answer.
  const localOnly = endpoint.kind === 'tcp' && isLoopback(endpoint.host);
  if (localOnly && host !== undefined && !isLocalHost(host)) {
    return text(403, 'ask for localhost: this daemon is for programs on its own host');
  }
  if (request.method !== 'GET') return text(405, 'only GET is answered');
  return options.http({ method: request.method, path: request.url ?? '/' });
}

/** Answers, whatever the handler does: an error of it is logged and told as status 500. */
export async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  options: ListenOptions,
  log: Logger,
): Promise<void> {
  let reply: HttpReply;
  try {
    reply = await replyTo(request, options);
  } catch (error: unknown) {
    log.error('http request failed', { key: request.url, error });
    reply = text(500, 'internal error, see the log of the daemon');
  }
  const coding = codingOf(request, reply);
  const body = coding === 'gzip' ? await compress(reply.body) : Buffer.from(reply.body);
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': body.length,
    ...(coding === 'gzip' && { 'content-encoding': coding }),
    vary: 'accept-encoding',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
    connection: 'close',
  });
  response.end(body);
}

/** The dashboard and a scrape are a third as long so. */
function codingOf({ headers }: IncomingMessage, { body }: HttpReply): 'gzip' | 'identity' {
  const { 'accept-encoding': wishes = '' } = headers;
  const isWelcome = /(?:^|[\s,])gzip\s*(?:,|$)/.test(wishes);
  return isWelcome && body.length >= compressedBytesMin ? 'gzip' : 'identity';
}
