/** What a session asks the mgr of names and files, by the names of the operations. */
import type { MgrSession } from '../../client/mgr-session.ts';
import { fileOps, nameOps } from '../../shared/wire/mgr-ops.ts';

const namesOfOps = new Map<number, string>(
  Object.entries({ ...nameOps, ...fileOps }).map(([name, { code }]) => [code, name]),
);

/** @returns grows from now on */
export function askedBy(session: MgrSession): string[] {
  const asked: string[] = [];
  const call = session.call.bind(session);
  session.call = (op, request, options) => {
    const name = namesOfOps.get(op.code);
    if (name !== undefined) asked.push(name);
    return call(op, request, options);
  };
  return asked;
}
