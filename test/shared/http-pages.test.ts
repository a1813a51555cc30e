import test from 'ava';
import { makeHttp as makeIodHttp } from '../../iod/http.ts';
import { makeHttp as makeMgrHttp } from '../../mgr/http.ts';

const metrics = async () => ({ status: 200, contentType: 'text/plain', body: 'figures' });
const source = () => ({ state: 'SERVING', name: 'iod0', mgr: true }) as const;
const get = (path: string) => ({ method: 'GET', path });

test('an iod says whether it serves, and whether it is in touch with the mgr', async (t) => {
  for (const [state, status] of [
    ['SERVING', 200],
    ['DRAINING', 503],
  ] as const) {
    const answer = makeIodHttp(() => ({ state, name: 'iod0', mgr: false }), metrics);
    const health = await answer(get('/health'));
    t.is(health.status, status);
    t.deepEqual(JSON.parse(health.body), { state, name: 'iod0', mgr: false });
    const { body } = await answer(get('/'));
    t.true(body.startsWith(`weftfs iod iod0: ${state}, without the mgr.\n`));
  }
});

test('a mgr serves while it recovers, and not before or after', async (t) => {
  for (const [state, status] of [
    ['BOOT', 503],
    ['RECOVERING', 200],
    ['ACTIVE', 200],
    ['STOPPED', 503],
  ] as const) {
    const mgr = { state, cluster: 'c', iods: { serving: 1, total: 2 } };
    t.is((await makeMgrHttp(() => mgr, metrics, undefined)(get('/health'))).status, status);
  }
});

test('metrics are a page where something writes them; only GET is answered', async (t) => {
  const answer = makeIodHttp(source, metrics);
  t.is((await answer(get('/metrics'))).body, 'figures');
  t.is((await answer(get('/nothing'))).status, 404);
  t.is((await answer({ method: 'POST', path: '/metrics' })).status, 405);
  t.is((await makeIodHttp(source, undefined)(get('/metrics'))).status, 404);
});
