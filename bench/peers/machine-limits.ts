/** What the machine does without any of them: its local disk, and bare sockets. */
import type { Loopback } from '../machine.ts';
import type { Outcome } from '../tasks.ts';
import { type DirectoryTools, directoryWorks } from './directory-works.ts';
import { kernelVersion } from './machine-described.ts';
import type { Sizes, System, WorkSet } from './system.ts';

export function localDisk(directory: string, disk: string, tools: DirectoryTools): System {
  return {
    name: 'local disk',
    version: `Linux ${kernelVersion()}`,
    about: `a directory of the same ${disk}, read from its page cache; nothing is durable`,
    sets: (sizes) => directoryWorks(directory, tools, sizes, true),
    processes: undefined,
  };
}

export function bareSockets(loopback: Loopback): System {
  const works = ({ streamBytes, randomMs }: Sizes): WorkSet => {
    const stream = async () => outcomeOf((await loopback.stream(streamBytes / 4)) * 1e6);
    const exchange = async () => outcomeOf(await loopback.exchange(1, randomMs));
    return {
      works: [
        ['write', stream],
        ['read', stream],
        ['random read', exchange],
      ],
      tidy: async () => undefined,
    };
  };
  return {
    name: 'loopback TCP',
    version: `Node ${process.version}`,
    about: 'bytes one way between two processes; for random reads, 64 bytes answered with 4 KiB',
    sets: (sizes) => ({ stream: works(sizes) }),
    processes: undefined,
  };
}

function outcomeOf(perSecond: number): Outcome {
  return { done: perSecond, begun: 0, ended: 1000, cpuUs: 0 };
}
