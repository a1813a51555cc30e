/** `weft why` before real processes that hang or are gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { connect } from '../../client/index.ts';
import { clusterDirectory, up, type UpReport, weft } from './cli-runner.ts';
import { until } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';

interface Told {
  readonly chains: readonly (readonly {
    readonly depth: number;
    readonly process: string;
    readonly text: string;
    readonly request?: string | null;
    readonly op?: string | null;
    readonly forMs?: number;
  }[])[];
  readonly untold: readonly { readonly process: string; readonly why: string }[];
}

async function why(cluster: UpReport, ...words: readonly string[]): Promise<Told> {
  const { url, dataDir } = cluster;
  const { code, stdout, stderr } = await weft(
    { url },
    'why',
    ...words,
    '--data',
    dataDir,
    '--json',
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Told;
}

async function chaos({ dataDir }: UpReport, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await weft({}, 'chaos', ...words, '--data', dataDir);
  if (code !== 0) throw new Error(stderr);
}

// One cluster at a time: each is several processes.
test.serial(
  'the chain leads from a program that writes to the iod that is frozen (SCENARIOS 274)',
  async (t) => {
    const cluster = await up(await clusterDirectory(t), '--iods', '2', '--small-file-bytes', '0');
    const fs = await connect(cluster.url, { name: 'writer' });
    t.teardown(() => fs.close());
    const file = await fs.open('/f', 'w', { layout: { base: 1, pcount: 1 } });
    await file.write(Buffer.alloc(10), 0);
    await chaos(cluster, 'stop', 'iod1');
    const written = file.write(Buffer.alloc(10), 0);

    let told = await why(cluster, '/f');
    await until(async () => {
      if (told.untold.length > 0) return true;
      told = await why(cluster, '/f');
      return false;
    });
    t.is(told.chains.length, 1);
    const [call, end] = told.chains[0] ?? [];
    t.like(call, { depth: 0, op: 'write' });
    t.regex(
      call?.text ?? '',
      /^writer \(session \d+, (local|127\.0\.0\.1)\): waits for iod1: write \/f/,
    );
    t.like(end, { depth: 1, process: 'iod1' });
    t.is(told.untold[0]?.process, 'iod1');
    const shown = await weft({ url: cluster.url }, 'why');
    t.regex(shown.stdout, /^writer .*: waits for iod1: write \/f.*\n {2}<- iod1: .*$/m);

    await chaos(cluster, 'go', 'iod1');
    await written;
    await until(async () => (await why(cluster, '/f')).chains.length === 0);
    t.is((await weft({ url: cluster.url }, 'why', '/f')).stdout, 'nothing waits for /f\n');
    t.is((await weft({ url: cluster.url }, 'why', '/missing')).code, 1);
  },
);

test.serial('without a mgr it tells that, and how long iods serve without it', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  await chaos(cluster, 'kill', 'mgr');
  const { untold } = await why(cluster);
  t.deepEqual(
    untold.map((one) => one.process),
    ['mgr'],
  );
  const { stdout } = await weft({ url: cluster.url }, 'why', '--data', cluster.dataDir);
  t.regex(stdout, /^mgr does not tell: .*\n.*\niod0: serving, for \d+\.\d s more\n$/);
});

mountTest(
  'a program in a mount is followed from its call into the kernel to the iod that is frozen',
  async (t) => {
    const m = await Mounted.start(t, { iods: 1, smallFileBytes: 0 });
    await writeFile(m.path('f'), 'kept');
    const [iod] = m.cluster.iods;
    iod?.signal('SIGSTOP');
    const reader = spawn('cat', [m.path('f')], { stdio: 'ignore' });
    const ended = once(reader, 'close');
    t.teardown(() => reader.kill('SIGKILL'));
    t.teardown(() => iod?.signal('SIGCONT'));
    let chain: Told['chains'][number] | undefined;
    await until(async () => {
      const { stdout } = await m.cluster.weft('why', '--json');
      const told = JSON.parse(stdout) as Told;
      chain = told.chains.find(([first]) => first?.text.includes(`pid ${reader.pid}`));
      return chain !== undefined;
    });
    const [asked, call, end] = chain ?? [];
    t.regex(asked?.text ?? '', /^weft mount .*: cat \(pid \d+\) waits for read \(\/f\), for /);
    t.like(call, { depth: 1, op: 'read' });
    t.regex(call?.text ?? '', /^weft mount .*: waits for iod0: read \/f/);
    t.like(end, { depth: 2, process: 'iod0' });
    iod?.signal('SIGCONT');
    await ended;
    const { stdout } = await m.cluster.weft('why', '/f');
    t.is(stdout, 'nothing waits for /f\n');
  },
);
