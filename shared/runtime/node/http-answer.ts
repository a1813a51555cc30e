/** Plain HTTP beside the channels: one GET a connection, answered by the listener's `http`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../loopback.ts';
import type { HttpReply, ListenOptions, Logger } from '../runtime.ts';
import { isLocalHost } from './handshake.ts';

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
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
    connection: 'close',
  });
  response.end(reply.body);
}
