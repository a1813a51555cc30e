/** All commands but `mgr` and `iod`, which are programs of their own. Data for help and completion. */
import type { CommandSpec, OptionSpec } from './command.ts';

const data: OptionSpec = {
  flags: '--data <dir>',
  summary: 'where everything is kept (default: weft-data)',
};
const layout: readonly OptionSpec[] = [
  { flags: '--stripe <bytes>', summary: 'stripe unit of new files, as in 256K or 1M' },
  { flags: '--iods <n>', summary: 'how many iods new files are striped over' },
  { flags: '--base <index>', summary: 'iod of the first stripe of new files' },
];
const sync: OptionSpec = { flags: '--sync', summary: 'durable on disk when it returns' };
const human: OptionSpec = { flags: '-h, --human', summary: 'sizes as 1.5K, 23M, 2.0G' };

export const commandGroups: readonly {
  readonly title: string;
  readonly commands: readonly CommandSpec[];
}[] = [
  {
    title: 'Clusters:',
    commands: [
      {
        name: 'up',
        operands: '',
        summary: 'start a mgr and iods on this host',
        options: [
          { flags: '--iods <n>', summary: 'how many iods (default: 4, or as before)' },
          data,
          { flags: '--port <p>', summary: 'of the mgr, iods follow; 0: any that are free' },
          { flags: '--iodtab <file>', summary: 'start the daemons of this table instead' },
          { flags: '--detach', summary: 'return when all are ready; weft down stops them' },
        ],
        json: '{url, dataDir, alreadyUp, daemons: [{role, name, url, pid, dataDir, log, command}]}, when all are ready',
        notes: [
          'Started again on the same directory it brings back what does not run, on the same ports.',
          'Without --detach it stays: Ctrl-C stops all daemons, a second one at once.',
        ],
        load: () => import('./commands/up.ts'),
      },
      {
        name: 'down',
        operands: '',
        summary: 'stop what weft up started',
        options: [data],
        json: '{dataDir, stopped: [{name, pid, killed}]}',
        load: () => import('./commands/down.ts'),
      },
      {
        name: 'chaos',
        operands: '<kill|stop|go> <daemon...>',
        summary: 'kill or freeze daemons of this host, to see what becomes of it',
        options: [
          data,
          { flags: '--for <seconds>', summary: 'what is stopped goes on after so long' },
        ],
        json: '{dataDir, struck: [{name, pid, fault}]}',
        notes: ['weft up brings back what was killed; weft recovery list tells how it went.'],
        load: () => import('./commands/chaos.ts'),
      },
      {
        name: 'init',
        operands: '',
        summary: 'make the key of a new cluster, or the token of a user',
        options: [data],
        json: '{keyFile, user}',
        notes: ['With --user it makes a token: who holds it acts as that user and nobody else.'],
        load: () => import('./commands/init.ts'),
      },
      {
        name: 'status',
        operands: '',
        summary: 'state of the mgr and of every iod, and what is being recovered',
        options: [data],
        json: '{url, healthy, mgr: {state, recovery, …}, iods: [{name, state, host, port, …}]}',
        notes: [
          'Answers at once in every phase. Without the mgr it tells of what weft up has started in',
          '--data on this host: which processes run, and how long their iods will serve without it.',
        ],
        load: () => import('./commands/status.ts'),
      },
      {
        name: 'recovery',
        operands: '<action> [report]',
        summary: 'list the recoveries of all daemons, or show one',
        options: [],
        json: '{reports: [{id, daemon, cause, outcome, startedAt, tookMs, phases, restored, dropped, uncertain, …}], missing}; show: {report, missing}',
        notes: [
          'weft recovery list: the latest first; + came back, - was dropped, ? nobody can know.',
          'weft recovery show iod2-17: all of one; without a number the latest.',
          'Needs the key of the cluster. An iod that does not serve keeps its own in recoveries/.',
        ],
        load: () => import('./commands/recovery.ts'),
      },
      {
        name: 'ping',
        operands: '',
        summary: 'reach every daemon from here and from the mgr, in named phases',
        options: [],
        json: '{ok, links: [{from, to, phases: [{name, microseconds}], failed, failure}]}',
        load: () => import('./commands/ping.ts'),
      },
      {
        name: 'df',
        operands: '',
        summary: 'space of the file system and of every iod',
        options: [human],
        json: '{totalBytes, freeBytes, usedBytes, files, partial, iods: [{name, totalBytes, freeBytes}]}',
        load: () => import('./commands/df.ts'),
      },
      {
        name: 'fsck',
        operands: '',
        summary: 'compare what the mgr knows with what the iods have',
        options: [
          { flags: '--restore <iod:id>', summary: 'put a quarantined object back', many: true },
          { flags: '--discard <iod:id>', summary: 'delete a quarantined object', many: true },
        ],
        json: '{ok, files, objects, findings: [{kind, iod, handle, path, what}], findingsTotal, resolved}',
        notes: [
          'Needs the key of the cluster. Changes nothing but what --restore and --discard name.',
          'Exit code 1 when something is wrong.',
        ],
        load: () => import('./commands/fsck.ts'),
      },
    ],
  },
  {
    title: 'Mounts:',
    commands: [
      {
        name: 'mount',
        operands: '<dir>',
        summary: 'make the cluster a directory of this host (Linux, as root)',
        options: [
          { flags: '-f, --foreground', summary: 'stay, and unmount at Ctrl-C' },
          {
            flags: '--print-systemd',
            summary: 'print a unit that mounts it at each start, no more',
          },
          { flags: '-o, --options <list>', summary: 'of mount(8): ro, noexec, nosuid, nodev …' },
          { flags: '--log <file>', summary: 'where warnings go in the background' },
        ],
        json: '{directory, source, pid, repaired}, when it is mounted; or {unit: [line]}',
        notes: [
          'A mount whose process has died is replaced. docs/POSIX.md says what is different.',
          '--timeout is how long programs wait while a daemon is away.',
        ],
        load: () => import('./commands/mount.ts'),
      },
      {
        name: 'umount',
        operands: '[dir]',
        summary: 'take a mount away',
        options: [
          { flags: '-l, --lazy', summary: 'also when it is in use: it ends with its last user' },
          { flags: '--stale', summary: 'all mounts whose process has died' },
        ],
        json: '{unmounted: [{directory, source}]}',
        load: () => import('./commands/umount.ts'),
      },
    ],
  },
  {
    title: 'Files:',
    commands: [
      {
        name: 'ls',
        operands: '[path...]',
        summary: 'list directories',
        options: [
          { flags: '-l, --long', summary: 'mode, links, owner, size and time' },
          { flags: '-R, --recursive', summary: 'and all below' },
          { flags: '-a, --all', summary: 'also names that begin with a dot' },
          { flags: '-d, --directory', summary: 'directories themselves, not what is in them' },
          { flags: '-U, --unsorted', summary: 'as they come, in bounded memory' },
          human,
        ],
        json: 'one line an entry, unsorted: {path, name, kind, handle, mode, links, uid, gid, size, modified, layout}',
        load: () => import('./commands/ls.ts'),
      },
      {
        name: 'cp',
        operands: '<paths...>',
        summary: 'copy in, out or within: weft:/path is in the file system',
        options: [
          {
            flags: '-r, --recursive',
            summary: 'directories too; keeps modes, times and links, as cp -a',
          },
          { flags: '-p, --preserve', summary: 'keep mode, owner and times' },
          sync,
          ...layout,
        ],
        json: '{files, directories, links, bytes, seconds, notKept: {…}, failures: [{from, to, code, message}], failuresTotal}',
        load: () => import('./commands/cp.ts'),
      },
      {
        name: 'cat',
        operands: '<path...>',
        summary: 'print files',
        options: [],
        json: 'one line a piece: {path, offset, base64}',
        load: () => import('./commands/cat.ts'),
      },
      {
        name: 'put',
        operands: '<path>',
        summary: 'store standard input as a file',
        options: [{ flags: '--append', summary: 'at the end of what is there' }, sync, ...layout],
        json: '{path, bytes, seconds}',
        load: () => import('./commands/put.ts'),
      },
      {
        name: 'mkdir',
        operands: '<path...>',
        summary: 'make directories',
        options: [
          { flags: '-p, --parents', summary: 'with those above; fine when it is there' },
          { flags: '-m, --mode <octal>', summary: 'permission bits, as in 0750' },
          ...layout,
        ],
        json: '{made: [path], failures}',
        notes: ['--stripe, --iods and --base are for all files that are made in it later.'],
        load: () => import('./commands/mkdir.ts'),
      },
      {
        name: 'rm',
        operands: '<path...>',
        summary: 'remove files',
        options: [
          { flags: '-r, --recursive', summary: 'directories and all that is below them' },
          { flags: '-f, --force', summary: 'fine when there is nothing of that name' },
        ],
        json: '{removed: [path], failures}',
        load: () => import('./commands/rm.ts'),
      },
      {
        name: 'mv',
        operands: '<paths...>',
        summary: 'rename files, or move them into a directory',
        options: [{ flags: '-n, --no-clobber', summary: 'never over an existing file' }],
        json: '{moved: [{from, to}], failures}',
        load: () => import('./commands/mv.ts'),
      },
      {
        name: 'ln',
        operands: '<target> <path>',
        summary: 'give a file one more name, or make a symbolic link',
        options: [{ flags: '-s, --symbolic', summary: 'a symbolic link; the target is any text' }],
        json: '{target, path, symbolic}',
        load: () => import('./commands/ln.ts'),
      },
      {
        name: 'stat',
        operands: '<path...>',
        summary: 'all attributes of files',
        options: [{ flags: '-L, --dereference', summary: 'of what symbolic links lead to' }],
        json: 'one line a file, as of ls, with all times',
        load: () => import('./commands/stat.ts'),
      },
      {
        name: 'truncate',
        operands: '<path...>',
        summary: 'cut or extend files to a size',
        options: [
          { flags: '-s, --size <bytes>', summary: 'as in 4096, 64K or 1M (needed)' },
          { flags: '-c, --no-create', summary: 'do not make files that are missing' },
        ],
        json: '{size, truncated: [path], failures}',
        load: () => import('./commands/truncate.ts'),
      },
      {
        name: 'where',
        operands: '<path>',
        summary: 'which iod holds which bytes of a file',
        options: [
          { flags: '--draw', summary: 'as a picture' },
          { flags: '--offset <bytes>', summary: 'which iod holds this byte' },
        ],
        json: '{path, handle, size, layout, iods: [{index, name, column, bytes, stripes}], at}',
        load: () => import('./commands/where.ts'),
      },
    ],
  },
  {
    title: 'Help:',
    commands: [
      {
        name: 'explain',
        operands: '[code]',
        summary: 'what an error code means and what to try',
        options: [],
        json: '{codes: [{code, what, effect, advice}]}',
        load: () => import('./commands/explain.ts'),
      },
      {
        name: 'completion',
        operands: '<shell>',
        summary: 'completions for bash, zsh or fish',
        options: [],
        json: '{shell, script}',
        notes: ['bash: source <(weft completion bash)', 'fish: weft completion fish | source'],
        load: () => import('./commands/completion.ts'),
      },
      {
        name: 'version',
        operands: '',
        summary: 'of this program, and the protocol it speaks',
        options: [],
        json: '{version, protocol: {min, max}, node}',
        load: () => import('./commands/version.ts'),
      },
    ],
  },
];

/** Programs of their own, started with all that follows their name. */
export const programs = [
  { name: 'mgr', summary: 'run a mgr in the foreground (weft mgr --help)' },
  { name: 'iod', summary: 'run an iod in the foreground (weft iod --help)' },
] as const;

/** What every command takes. */
export const globalOptions: readonly OptionSpec[] = [
  { flags: '--url <url>', summary: 'the cluster, as weft up prints it (default: $WEFT_URL)' },
  { flags: '--key <file>', summary: 'its key file (default: the one of the URL, $WEFT_KEY_FILE)' },
  { flags: '--user <name>', summary: 'the key is the token of this user (default: $WEFT_USER)' },
  { flags: '--timeout <seconds>', summary: 'how long each call may take (default: 60)' },
  { flags: '--json', summary: 'print objects, one a line, each with its schema version' },
];
