/** `weft version`: of this program, the protocol it speaks, and the Node it runs on. */
import { protocolVersions } from '../../../shared/rpc/handshake.ts';
import { version } from '../../../shared/version.ts';
import type { Run } from '../command.ts';

export const run: Run = async (_, { output }) => {
  const { min, max } = protocolVersions;
  const node = process.versions.node;
  output.result(
    { version, protocol: { min, max }, node },
    () => `weft ${version}, protocol ${min} to ${max}, Node ${node}`,
  );
};
