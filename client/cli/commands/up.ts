/** `weft up`: a whole cluster on this host, in the foreground or on its own. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { limits } from '../../../shared/limits.ts';
import { isPageOrigin, originAdvice } from '../../../shared/page-origin.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { describeFailure, failureText } from '../failure.ts';
import type { ClusterState, DirectReadsWish } from '../local-cluster/cluster-state.ts';
import { stopGraceMs, type StartedDaemon } from '../local-cluster/daemon-process.ts';
import { Interrupt } from '../local-cluster/interrupt.ts';
import { startCluster, stopDaemons } from '../local-cluster/local-cluster.ts';
import type { Output } from '../output.ts';

export const run: Run = async (given, { output }) => {
  const iodtab = given.text('iodtab');
  const wish = {
    dataDir: resolve(given.text('data') ?? 'weft-data'),
    iodtab: iodtab === undefined ? undefined : resolve(iodtab),
    iods: given.count('iods', { min: 1, max: limits.iodsMax }),
    port: given.count('port', { min: 0, max: 65_535 }),
    origins: originsOf(given),
    smallFileBytes: smallFileBytesOf(given),
    directReads: directReadsOf(given),
  };
  const interrupt = new Interrupt();
  try {
    const begun = performance.now();
    const { state, started } = await startCluster(wish, interrupt.signal);
    const alreadyUp = started.length === 0;
    const { url, dataDir } = state;
    const daemons = state.daemons.map((daemon) => ({ ...daemon, started: undefined }));
    output.result({ url, dataDir, alreadyUp, daemons }, () => {
      if (alreadyUp) return [`already up at ${url}`, ...nextSteps(state)];
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const before = state.daemons.length - started.length;
      const also = before === 0 ? '' : ` (${before} ran before)`;
      return [`up after ${seconds} s: ${names(state)}${also}`, ...nextSteps(state)];
    });
    if (given.flag('detach') || alreadyUp) return undefined;
    return await stayUp(state, started, { output, interrupt });
  } finally {
    interrupt.end();
  }
};

function smallFileBytesOf(given: Arguments): number | undefined {
  const wished = given.bytes('smallFileBytes');
  const most = limits.smallFileBytesMax;
  if (wished === undefined || wished <= most) return wished;
  throw new UsageError(
    `--small-file-bytes is ${most} at the most`,
    'longer files live in the iods',
  );
}

function directReadsOf(given: Arguments): DirectReadsWish | undefined {
  const wished = given.text('directReads');
  if (wished === undefined || wished === 'on' || wished === 'off') return wished;
  throw new UsageError(`--direct-reads is no '${wished}'`, 'on or off');
}

function originsOf(given: Arguments): readonly string[] {
  const origins = given.texts('allowOrigin');
  const wrong = origins.find((one) => !isPageOrigin(one));
  if (wrong === undefined) return origins;
  throw new UsageError(`'${wrong}' is no origin of a page`, originAdvice);
}

/**
 * Tells when a daemon ends, and stops all at Ctrl-C; at once at the second.
 * @returns when none of those that were started runs any more
 */
export async function stayUp(
  state: ClusterState,
  started: readonly StartedDaemon[],
  { output, interrupt }: { readonly output: Output; readonly interrupt: Interrupt },
): Promise<void | 'failed'> {
  let died = false;
  let stopping: Promise<void> | undefined;
  interrupt.listen((times) => {
    output.remark(times > 1 ? 'killing all daemons' : 'stopping (Ctrl-C again: at once)');
    stopping = stopDaemons(state.daemons, times > 1 ? 0 : stopGraceMs).then(
      (outcomes) => {
        for (const { name, killed } of outcomes) {
          if (killed && times === 1) output.remark(`${name} did not stop in time and was killed`);
        }
      },
      (error: unknown) => {
        died = true;
        output.remark(failureText(describeFailure(error)));
      },
    );
  });
  await Promise.all(
    started.map(async ({ child, record: { name, pid, log } }) => {
      child.ref();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const { exitCode, signalCode } = child;
      if (interrupt.signal.aborted || exitCode === 0) return;
      died = true;
      output.remark(
        `${name} (pid ${pid}) died: ${signalCode ?? `status ${exitCode}`}; its log is ${log}; ` +
          `weft up --detach --data ${state.dataDir} starts it again`,
      );
    }),
  );
  await stopping;
  return died ? 'failed' : undefined;
}

function names({ daemons }: ClusterState): string {
  const iods = daemons.filter(({ role }) => role === 'iod');
  return `mgr and ${iods.map(({ name }) => name).join(', ')}`;
}

function nextSteps({ url, dataDir }: ClusterState): readonly string[] {
  return [
    `data in ${dataDir}`,
    '',
    `  export WEFT_URL='${url}'`,
    '  weft status',
    '  weft cp -r . weft:/copy',
    '  weft ls -l /copy',
    `  weft down --data ${dataDir}`,
  ];
}
