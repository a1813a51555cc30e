/** All commands but `mgr` and `iod`, which are programs of their own. Data for help and completion. */
import { clusterCommands, human } from './cluster-commands.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

const layout: readonly OptionSpec[] = [
  { flags: '--stripe <bytes>', summary: 'stripe unit of new files, as in 256K or 1M' },
  { flags: '--iods <n>', summary: 'how many iods new files are striped over' },
  { flags: '--base <index>', summary: 'iod of the first stripe of new files' },
];
const sync: OptionSpec = { flags: '--sync', summary: 'durable on disk when it returns' };

export const commandGroups: readonly {
  readonly title: string;
  readonly commands: readonly CommandSpec[];
}[] = [
  {
    title: 'Clusters:',
    commands: clusterCommands,
  },
  {
    title: 'Mounts:',
    commands: [
      {
        name: 'mount',
        operands: '<dir>',
        summary: 'make the cluster a directory of this host (Linux)',
        options: [
          { flags: '-f, --foreground', summary: 'stay, and unmount at Ctrl-C' },
          {
            flags: '--print-systemd',
            summary: 'print a unit that mounts it at each start, no more',
          },
          { flags: '--print-fstab', summary: 'print a line for /etc/fstab, no more' },
          {
            flags: '-o, --options <list>',
            summary:
              'of mount(8): ro, noexec, nosuid, nodev, sync, dirsync …; keep_pages, powersave',
          },
          { flags: '--log <file>', summary: 'where warnings go in the background' },
          {
            flags: '--metrics <address>',
            summary: 'serve metrics at PORT of this host, or at HOST:PORT',
          },
        ],
        json: '{directory, source, pid, repaired, metrics}, when it is mounted; or {unit: [line]} or {line}',
        notes: [
          'A mount whose process has died is replaced. docs/POSIX.md says what is different.',
          'Without root it needs fusermount3 (Debian: fuse3), and is for this user alone, unless root has',
          'allowed others (user_allow_other in /etc/fuse.conf) and they are let in: -o allow_other.',
          '--timeout is how long programs wait while a daemon is away.',
          'For /etc/fstab, mount.weft of this installation must stand in /sbin: docs/POSIX.md.',
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
          {
            flags: '--retention <seconds>',
            summary: 'files in it go so long after their last close',
          },
        ],
        json: '{made: [path], failures}',
        notes: [
          '--stripe, --iods and --base are for all files that are made in it later.',
          '--retention is for scratch files, also in directories below: a start of the mgr begins it anew.',
        ],
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
