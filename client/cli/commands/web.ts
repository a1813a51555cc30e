/** `weft web`: a link to the dashboard that the mgr serves, which lets in whoever follows it first. */
import { ticketKey } from '../../../shared/auth.ts';
import { formatAddress } from '../../../shared/iodtab-address.ts';
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import { credentialOf } from '../../connect.ts';
import type { Run } from '../command.ts';
import { clusterAt } from '../direct-connection.ts';
import { askingBy } from '../../observing/presence.ts';

export const run: Run = async (given, { output, url, connectOptions, fileSystem }) => {
  const write = given.flag('write');
  const { host, port, keyFile } = clusterAt(url);
  const { session, deadline } = askingBy(await fileSystem(), connectOptions);
  const { name, lifeMs } = await session.call(clusterOps.makeTicket, { write }, { deadline });
  const { key: secret } = await credentialOf(session.runtime, connectOptions, keyFile);
  // Behind the `#`: no server, no proxy and no log ever sees it.
  const ticket = `${name}.${Buffer.from(ticketKey(secret, name)).toString('hex')}`;
  const link = `http://${formatAddress(host, port)}/#${ticket}`;
  const seconds = lifeMs / 1000;
  output.result({ link, write, seconds }, () => [
    link,
    `valid once, for ${seconds} s, to ${write ? 'read and write' : 'read'} as you do`,
  ]);
};
