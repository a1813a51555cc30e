/** Whether a host has what weftfs needs. Pure. */
import { limits } from '../../../shared/limits.ts';
import { displayBytes, percent } from '../../../shared/figures.ts';
import type { Check } from './check.ts';
import type { DiskFacts, HostFacts } from './host-facts.ts';
import type { PortFacts } from './port-facts.ts';

const nodeNeeded = [20, 19] as const;
/** An iod keeps objects open, and a connection for each client. */
const openFilesNeeded = limits.connectionsMax;
const slowSyncMs = 30;
const fullShare = 0.05;

export function checkHost(facts: HostFacts): readonly Check[] {
  return [
    nodeCheck(facts),
    openFilesCheck(facts),
    diskCheck(facts),
    memoryCheck(facts),
    mountCheck(facts),
  ];
}

function nodeCheck({ node }: HostFacts): Check {
  const name = 'node';
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [majorNeeded, minorNeeded] = nodeNeeded;
  const isEnough = major > majorNeeded || (major === majorNeeded && minor >= minorNeeded);
  if (isEnough) return { name, verdict: 'ok', detail: `version ${node}` };
  return {
    name,
    verdict: 'error',
    detail: `version ${node} is too old`,
    advice: `install Node ${nodeNeeded.join('.')} or later`,
  };
}

function openFilesCheck({ openFilesMax: max }: HostFacts): Check {
  const name = 'open files';
  if (max === undefined) return { name, verdict: 'skipped', detail: 'this system does not tell' };
  const detail = `a process may have ${max === Infinity ? 'any number' : max}`;
  if (max >= openFilesNeeded) return { name, verdict: 'ok', detail };
  return {
    name,
    verdict: 'warning',
    detail,
    advice: `ulimit -n ${openFilesNeeded * 4} before daemons are started, or LimitNOFILE= in their units`,
  };
}

function diskCheck({ disk }: HostFacts): Check {
  const name = 'disk';
  if ('failure' in disk) {
    return {
      name,
      verdict: 'error',
      detail: `${disk.path}: ${disk.failure}`,
      advice: 'name a directory that can be written with --data',
    };
  }
  const { path, freeBytes, totalBytes, syncMs } = disk;
  const detail = `${path}: ${displayBytes(freeBytes)} free of ${displayBytes(totalBytes)}, durable in ${syncMs.toFixed(1)} ms`;
  const advice = diskAdvice(disk);
  return { name, verdict: advice === undefined ? 'ok' : 'warning', detail, advice };
}

function diskAdvice({ inMemory, freeBytes, totalBytes, syncMs }: DiskFacts): string | undefined {
  if (inMemory) return 'this is memory: all is lost with the host; name a disk with --data';
  if (freeBytes < fullShare * totalBytes) {
    return `only ${percent(freeBytes, totalBytes)} is free: make room, or name another disk with --data`;
  }
  if (syncMs <= slowSyncMs) return undefined;
  return 'each durable change waits for this disk: a faster one for the mgr helps most';
}

function memoryCheck({ sharedMemory, platform }: HostFacts): Check {
  const name = 'shared memory';
  if (platform !== 'linux') return { name, verdict: 'skipped', detail: `not on ${platform}` };
  if (sharedMemory === 'usable') return { name, verdict: 'ok', detail: '/dev/shm can be used' };
  return {
    name,
    verdict: 'warning',
    detail: `/dev/shm is ${sharedMemory}`,
    advice: 'programs on the host of an iod go through its socket instead: slower, and correct',
  };
}

function mountCheck({ fuse, uid, platform }: HostFacts): Check {
  const { device, mountProgram, userObstacle } = fuse;
  const name = 'mount';
  const usable = 'weft mount can be used';
  if (platform !== 'linux') return { name, verdict: 'skipped', detail: `not on ${platform}` };
  if (uid !== 0) {
    const obstacle = device === 'usable' ? userObstacle : `/dev/fuse is ${device}`;
    if (obstacle === undefined) return { name, verdict: 'ok', detail: usable };
    return { name, verdict: 'skipped', detail: `only root can mount: ${obstacle}` };
  }
  const lacks = [
    ...(device === 'usable' ? [] : [`/dev/fuse is ${device}`]),
    ...(mountProgram ? [] : ['there is no mount(8)']),
  ];
  if (lacks.length === 0) return { name, verdict: 'ok', detail: usable };
  return {
    name,
    verdict: 'warning',
    detail: lacks.join(', '),
    advice: device === 'missing' ? 'modprobe fuse' : 'install mount, and let root open /dev/fuse',
  };
}

/** Whether the daemons of this host have their ports, or can have them when they start. */
export function checkPorts({ ports, areChosen, lent }: PortFacts): Check {
  const name = 'ports';
  const taken = ports.flatMap(({ daemon, port, holder }) =>
    typeof holder === 'object' ? [`${port} of ${daemon} (${holder.failure})`] : [],
  );
  if (taken.length > 0) {
    return {
      name,
      verdict: areChosen ? 'error' : 'warning',
      detail: `not to be had: ${taken.join(', ')}`,
      advice: areChosen
        ? 'end the program that has it (ss -ltnp tells which), then weft up'
        : 'weft up --port with another, or 0 for any that are free',
    };
  }
  const risky = ports.filter(({ port }) => port >= lent.first && port <= lent.last);
  if (risky.length > 0) {
    return {
      name,
      verdict: 'warning',
      detail: `${risky.map(({ port }) => port).join(', ')}: of those that outgoing connections get`,
      advice: 'while a daemon is away somebody may take its port: choose some below that range',
    };
  }
  const running = ports.filter(({ holder }) => holder === 'itself').length;
  const free = ports.length - running;
  const words = [
    ...(running > 0 ? [`${running} in use by the daemons that they are for`] : []),
    ...(free > 0 ? [`${free} free`] : []),
  ];
  return { name, verdict: 'ok', detail: words.join(', ') };
}
