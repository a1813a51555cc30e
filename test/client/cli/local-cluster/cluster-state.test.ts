import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  readState,
  stateFile,
  writeState,
} from '../../../../client/cli/local-cluster/cluster-state.ts';
import { makeNodeRuntime } from '../../../../shared/runtime/node.ts';

const { disk } = makeNodeRuntime({ log: 'silent' });

test('what was written is read, and what is no state is refused and not touched', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-state-'));
  t.teardown(() => rm(dataDir, { recursive: true }));
  t.is(await readState(disk, dataDir), undefined);
  const daemon = { role: 'mgr', name: 'mgr', url: 'ws://h:1', dataDir, log: 'l' } as const;
  const state = {
    url: 'ws://h:1',
    dataDir,
    iodtab: join(dataDir, 'iodtab'),
    daemons: [{ ...daemon, command: ['node', 'x'], pid: 12, started: 'then' }],
    origins: ['http://localhost:5173'],
  };
  await writeState(disk, state);
  t.like(await readState(disk, dataDir), state);
  const changed = (change: object): string => JSON.stringify({ format: 1, ...state, ...change });
  await writeFile(stateFile(dataDir), changed({ origins: undefined }));
  t.like(await readState(disk, dataDir), { url: state.url }, 'one of an earlier version');
  const wrong = ['', '{', '[]', '{"format":2}', changed({ format: 2 }), changed({ origins: [1] })];
  for (const content of wrong) {
    await writeFile(stateFile(dataDir), content);
    await t.throwsAsync(readState(disk, dataDir), { message: /is not what weft up writes/ });
  }
});
