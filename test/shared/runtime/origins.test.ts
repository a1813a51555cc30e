import test from 'ava';
import { silentLog } from '../../../shared/runtime/log.ts';
import { makeNet } from '../../../shared/runtime/node/net.ts';
import { WebSocket } from 'ws';
import { stockProtocol } from '../../../shared/runtime/upgrade-names.ts';
import { listening, Recorder } from './recorder.ts';
import { portOf } from './sockets.ts';

const origins = ['https://example.org', 'http://localhost:5173'];

/** @returns whether a page of this origin gets in; `host` is the name that it knows us by */
async function getsIn(port: number, origin: string, host = `127.0.0.1:${port}`): Promise<boolean> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, [stockProtocol], {
    origin,
    headers: { host },
  });
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

test('pages of the origins that are named get in, whatever name they know the daemon by', async (t) => {
  const listener = await listening(t, makeNet({ log: silentLog, origins }), {
    accept: () => new Recorder(),
  });
  const port = portOf(listener);
  for (const origin of origins) {
    t.true(await getsIn(port, origin));
    t.true(await getsIn(port, origin, `storage.example:${port}`));
  }
});

test('pages of all other origins do not', async (t) => {
  const listener = await listening(t, makeNet({ log: silentLog, origins }));
  const port = portOf(listener);
  for (const origin of [
    'http://example.org',
    'https://example.org:444',
    'https://example.org.evil.example',
    'https://evil.example',
    'http://localhost:5174',
    'null',
  ]) {
    t.false(await getsIn(port, origin), origin);
  }
  t.false(await getsIn(port, `http://evil.example:${port}`, `evil.example:${port}`));
});
