/** `weft why`: what a call waits for, and what that waits for in turn, in whichever process. */
import { opName } from '../../../shared/wire/op-names.ts';
import { humanDuration } from '../../../shared/figures.ts';
import { askingBy, handleOf } from '../../observing/presence.ts';
import { printable } from '../../observing/shown-text.ts';
import { requestId, type Step } from '../../observing/wait-chains.ts';
import { whyWaiting } from '../../observing/waits.ts';
import { type ClusterLook, lookAtCluster } from '../cluster-look.ts';
import type { Context, Run } from '../command.ts';
import type { JsonObject } from '../output.ts';
import { remotePath } from '../remote-path.ts';

/** Chains that are shown; the others wait for less long. */
const chainsMax = 20;

const requestPattern = /^#?([0-9a-f]{8}:[1-9]\d*)$/;

export const run: Run = async (given, context) => {
  const [operand] = given.operands;
  const [, request] = requestPattern.exec(operand ?? '') ?? [];
  const file = operand === undefined || request !== undefined ? undefined : remotePath(operand);
  const look = await lookAtCluster(given, context);
  if (look.status === undefined) return tellWithoutMgr(look, context);
  const { status } = look;
  const fs = await context.fileSystem();
  const handle =
    file === undefined ? undefined : await handleOf(askingBy(fs, context.connectOptions), file);
  const { chains: all, untold } = await whyWaiting(fs.session, status, { request, handle });
  const chains = all.slice(0, chainsMax);
  const json = chains.map((steps) => steps.map(stepJson));
  context.output.result(
    { request: request ?? null, file: file ?? null, chains: json, untold },
    () => [
      ...(chains.length === 0
        ? [`nothing waits${operand === undefined ? '' : ` for ${operand}`}`]
        : []),
      ...chains.flatMap((steps) => steps.map(stepLine)),
      ...untold.map(({ process, why }) => `${process} does not tell: ${printable(why)}`),
    ],
  );
  return undefined;
};

function tellWithoutMgr(
  { error, iods }: Extract<ClusterLook, { readonly status: undefined }>,
  { output }: Context,
): undefined {
  const why = error.what ?? error.message;
  const left = iods.map(({ name, state, recovery }) => {
    const { leftMs } = recovery ?? {};
    const lease = leftMs === undefined ? '' : `, for ${humanDuration(leftMs / 1000)} more`;
    return `${name}: ${state.toLowerCase()}${lease}`;
  });
  const untold = [{ process: 'mgr', why }];
  output.result({ request: null, file: null, chains: [], untold, iods }, () => [
    `mgr does not tell: ${printable(why)}`,
    `names and opens wait for the mgr; reads and writes of open files go on while their iods serve`,
    ...left.map(printable),
  ]);
}

function stepJson({ depth, process, text, wait }: Step): JsonObject {
  if (wait === undefined) return { depth, process, text };
  const { kind, op, stage, peer, session, handles, forMs, leftMs, silentMs, why } = wait;
  return {
    depth,
    process,
    text,
    kind,
    request: requestId(wait) ?? null,
    op: op === 0 ? null : opName(op),
    stage: kind === 'request' ? stage : null,
    peer,
    session: session ?? null,
    handles,
    forMs,
    leftMs: leftMs ?? null,
    silentMs: silentMs ?? null,
    why: why === '' ? null : why,
  };
}

function stepLine({ depth, text }: Step): string {
  return `${'  '.repeat(depth)}${depth > 0 ? '<- ' : ''}${printable(text)}`;
}
