/** `weft init`: the secret of a new cluster, or the token of one user of it. */
import { join, resolve } from 'node:path';
import { makeDirectoryDurably } from '../../../shared/durable-names.ts';
import { isFsError } from '../../../shared/errno.ts';
import { makeKeyFile, readKeyFile } from '../../../shared/key-file.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { userToken } from '../../connect.ts';
import { UsageError } from '../arguments.ts';
import type { Run } from '../command.ts';
import { CommandError } from '../failure.ts';

export const run: Run = async (given, { output }) => {
  const runtime = makeNodeRuntime({ log: 'silent' });
  const directory = resolve(given.text('data') ?? 'weft-data');
  const clusterKey = given.text('key') ?? join(directory, 'cluster.key');
  const user = given.text('user');
  if (user === undefined) {
    await makeDirectoryDurably(runtime.disk, directory);
    await make(runtime, clusterKey);
    output.result({ keyFile: clusterKey, user: null }, () => [
      `made ${clusterKey}: whoever can read it can read and change everything`,
      'copy it, mode 0600, to every host of the cluster, then start there:',
      '  weft mgr --data DIR --host HOST --iodtab FILE --key KEY',
      "  weft iod --data DIR --mgr 'ws://MGR:7300?key=/path/to/KEY' --name NAME --host HOST",
    ]);
    return;
  }
  // It becomes part of a file name and of the greeting.
  if (!/^[a-z0-9_][a-z0-9_.-]{0,63}$/i.test(user)) {
    throw new UsageError(`'${user}' is no user name`, 'use letters, digits, dots and hyphens');
  }
  const secret = await readKeyFile(runtime.disk, clusterKey);
  const keyFile = join(directory, `${user}.token`);
  await makeDirectoryDurably(runtime.disk, directory);
  await make(runtime, keyFile, userToken(secret, user));
  output.result({ keyFile, user }, () => [
    `made ${keyFile}: who holds it acts as ${user}`,
    `the mgr must know whom that is: weft mgr --user ${user}=UID:GID`,
    `  weft --key ${keyFile} --user ${user} --url ws://MGR:7300 ls -l /`,
  ]);
};

async function make(runtime: Runtime, path: string, key?: Uint8Array): Promise<void> {
  try {
    await makeKeyFile(runtime, path, key);
  } catch (error: unknown) {
    if (!isFsError(error) || error.code !== 'EEXIST') throw error;
    throw new CommandError('EEXIST', `${path} is there already`, {
      effect: 'it was not touched',
      advice: 'use it, or move it away first: without it the old cluster cannot be reached',
      path,
    });
  }
}
