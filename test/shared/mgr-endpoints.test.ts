import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { endpointsOfMgr, namesOfMgr } from '../../shared/mgr-endpoints.ts';
import { endpointText } from '../../shared/runtime/net-errors.ts';

const hosts: Readonly<Record<string, readonly string[]>> = {
  localhost: ['::1', '127.0.0.1', '10.0.0.1'],
  n1: ['127.0.1.1'],
};

function net(loopbackId = 'here') {
  return {
    loopbackId,
    async resolve(host: string): Promise<readonly string[]> {
      await Promise.resolve();
      const addresses = hosts[host];
      if (addresses === undefined) throw new FsError('ENOTFOUND');
      return addresses;
    },
  };
}

async function looksAt(host: string, on = net()): Promise<string[]> {
  return (await endpointsOfMgr(on, { host, port: 7300 })).map(endpointText);
}

async function takes(host: string, on = net()): Promise<string[]> {
  return (await namesOfMgr(on, { host, port: 7300 })).map(endpointText);
}

const v4 = 'unix:@weftfs/mgr/127.0.0.1:7300';
const v6 = 'unix:@weftfs/mgr/[::1]:7300';

test('whoever looks for a mgr at an address of loopback looks for its name first', async (t) => {
  t.deepEqual(await looksAt('127.0.0.1'), [v4, '127.0.0.1:7300']);
  t.deepEqual(await looksAt('::1'), [v6, '[::1]:7300']);
  t.deepEqual(await looksAt('localhost'), [v6, v4, 'localhost:7300']);
});

test('a mgr of another host, or one whose host may be another, is looked for at its port alone', async (t) => {
  for (const host of ['10.0.0.1', 'n1', '0.0.0.0']) {
    t.deepEqual(await looksAt(host), [`${host}:7300`]);
    t.deepEqual(await takes(host === '0.0.0.0' ? 'n2' : host), []);
  }
});

test('a mgr takes the name of the loopback address that it listens on, and of no other', async (t) => {
  t.deepEqual(await takes('127.0.0.1'), [v4]);
  t.deepEqual(await takes('0.0.0.0'), [v4]);
  t.deepEqual(await takes('::1'), [v6]);
  t.deepEqual(await takes('::'), [v6]);
  t.deepEqual(await takes('localhost'), [v6], 'as a listener it has the first');
  t.deepEqual(await takes('127.0.0.2'), ['unix:@weftfs/mgr/127.0.0.2:7300']);
});

test('where unix sockets have no names, and where localhost leads nowhere, there are ports', async (t) => {
  t.deepEqual(await looksAt('127.0.0.1', net('')), ['127.0.0.1:7300']);
  t.deepEqual(await takes('127.0.0.1', net('')), []);
  const lost = { ...net(), resolve: () => Promise.reject(new FsError('ENOTFOUND')) };
  t.deepEqual(await looksAt('localhost', lost), ['localhost:7300']);
  t.deepEqual(await takes('localhost', lost), []);
});
