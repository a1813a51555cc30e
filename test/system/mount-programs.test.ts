/** Programs that people run, on a mounted cluster: they find what they find on a local disk. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtProgram } from './daemon.ts';
import { Mounted, mountTest } from './mounted.ts';
import { projectPath } from '../../scripts/project.ts';

const execute = promisify(execFile);

/** @returns what it says on standard output. @throws when it does not end well */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, { maxBuffer: 2 ** 26 });
  return stdout;
}

mountTest('mount.weft mounts what a line of fstab says', async (t) => {
  const m = await Mounted.start(t, { iods: 1 });
  await writeFile(m.path('seen'), 'by both');
  const directory = join(m.cluster.directory, 'by-fstab');
  await mkdir(directory);
  t.teardown(() => execute('umount', ['--lazy', directory]));
  const helper = builtProgram('client/cli/mount-weft/main.js');
  const options = 'ro,_netdev,nofail,timeout=20';
  await run(process.execPath, helper, m.cluster.url, directory, '-o', options);
  t.is(await readFile(join(directory, 'seen'), 'utf8'), 'by both');
  await t.throwsAsync(writeFile(join(directory, 'no'), ''), { code: 'EROFS' });
});

mountTest(
  'rsync copies a tree, and the second time finds nothing to do',
  async (t) => {
    const m = await Mounted.start(t);
    const from = `${join(m.cluster.directory, 'from')}/`;
    await mkdir(join(from, 'deep/er'), { recursive: true });
    for (let i = 0; i < 60; i++) {
      await writeFile(
        join(from, i % 2 === 0 ? 'deep' : 'deep/er', `file ${i}`),
        `${i}`.repeat(i * 40),
      );
    }
    await run('ln', '-s', 'deep/file 2', join(from, 'soft'));
    await run('ln', join(from, 'deep/file 4'), join(from, 'hard'));
    const to = `${m.path('copy')}/`;
    await run('rsync', '-aHX', from, to);
    t.is(await run('rsync', '-aHXn', '--itemize-changes', '--delete', from, to), '');
    t.is(await run('rsync', '-aHXnc', '--itemize-changes', from, to), '', 'by content too');
    t.is((await stat(m.path('copy/hard'))).nlink, 2);
    t.is(await run('diff', '-r', from, to), '');
  },
  ['rsync', 'diff'],
);

mountTest(
  'a program is built with make, runs, and is built again only where its sources changed',
  async (t) => {
    const m = await Mounted.start(t);
    const parts = Array.from({ length: 12 }, (_, i) => `part${i}`);
    for (const [i, part] of parts.entries()) {
      await writeFile(m.path(`${part}.c`), `int ${part}(void) { return ${i}; }\n`);
    }
    const calls = parts.map((part) => `${part}()`).join(' + ');
    const declarations = parts.map((part) => `int ${part}(void);`).join('\n');
    await writeFile(
      m.path('main.c'),
      `#include <stdio.h>\n${declarations}\nint main(void) { printf("%d\\n", ${calls}); return 0; }\n`,
    );
    const objects = ['main', ...parts].map((part) => `${part}.o`).join(' ');
    await writeFile(m.path('Makefile'), `sum: ${objects}\n\t$(CC) -o $@ $^\n`);
    const make = () => run('make', '-C', m.directory, '-j2', 'CC=gcc');
    await make();
    t.is(await run(m.path('sum')), '66\n');
    t.regex(await make(), /is up to date/);
    await writeFile(m.path('part3.c'), 'int part3(void) { return 1003; }\n');
    const again = await make();
    t.true(again.includes('part3.c') && !again.includes('part4.c'));
    t.is(await run(m.path('sum')), '1066\n');
  },
  ['make', 'gcc'],
);

mountTest(
  'fio reads what it wrote, through the page cache and around it',
  async (t) => {
    const m = await Mounted.start(t);
    for (const [name, direct] of [
      ['cached', 0],
      ['direct', 1],
    ] as const) {
      const report = await run(
        'fio',
        `--name=${name}`,
        `--directory=${m.directory}`,
        '--rw=randwrite',
        '--bsrange=4k-128k',
        '--blockalign=4k',
        '--size=24m',
        '--ioengine=psync',
        '--numjobs=2',
        `--direct=${direct}`,
        '--verify=crc32c',
        '--verify_fatal=1',
        '--do_verify=1',
        '--randseed=7',
        '--fallocate=none',
        '--verify_state_save=0',
        '--output-format=json',
      );
      const { jobs } = JSON.parse(report) as {
        jobs: { error: number; read: { io_bytes: number }; write: { io_bytes: number } }[];
      };
      t.is(jobs.length, 2);
      for (const { error, read, write } of jobs) {
        t.is(error, 0);
        t.true(write.io_bytes >= 24 * 2 ** 20);
        t.true(read.io_bytes > 0, 'what was written was read back and compared');
      }
    }
  },
  ['fio'],
);

mountTest(
  'npm ci installs what a lock file says, as on a local disk',
  async (t) => {
    const m = await Mounted.start(t);
    const local = join(m.cluster.directory, 'local');
    const [packed, project] = [join(local, 'packed'), join(local, 'project')];
    for (const directory of [packed, project]) await mkdir(directory, { recursive: true });
    const npm = (...args: readonly string[]) => run('npm', '--offline', '--silent', ...args);
    const sources = ['commander', 'playwright-core', 'preact', 'ws'].map((name) =>
      projectPath(`node_modules/${name}`),
    );
    await npm('pack', '--pack-destination', packed, ...sources);
    const tarballs = (await readdir(packed)).map((name) => join(packed, name));
    await npm('--prefix', project, 'install', ...tarballs);
    await run('cp', '-r', packed, m.directory);
    await mkdir(m.path('project'));
    for (const name of ['package.json', 'package-lock.json']) {
      await run('cp', join(project, name), m.path('project'));
    }
    for (const what of ['for the first time', 'over what is there']) {
      await npm('--prefix', m.path('project'), 'ci');
      t.is(await run('diff', '-r', project, m.path('project')), '', what);
    }
  },
  ['npm', 'diff'],
);

/** Of stress-ng: those that check what they see of the file system, and take seconds. */
const stressors = (
  'access chown copy-file dentry dir dirdeep fallocate fcntl flock fstat getdent hdd iomix locka ' +
  'lockf lockofd mknod msync open rename seek sendfile splice sync-file touch utime'
).split(' ');

mountTest(
  'what stress-ng does to files goes as on any disk, all at once, and leaves nothing behind',
  async (t) => {
    const m = await Mounted.start(t);
    const work = stressors.flatMap((name) => [`--${name}`, '1', `--${name}-ops`, '10']);
    const small = ['fallocate', 'hdd', 'iomix', 'sync-file'].flatMap((name) => [
      `--${name}-bytes`,
      '4m',
    ]);
    await run('stress-ng', '--quiet', '--verify', ...work, ...small, '--temp-path', m.directory);
    t.deepEqual(await readdir(m.directory), []);
  },
  ['stress-ng'],
);

mountTest(
  'dd goes around the page cache, find and du see what is there',
  async (t) => {
    const m = await Mounted.start(t);
    const source = join(m.cluster.directory, 'source');
    await run('dd', 'if=/dev/urandom', `of=${source}`, 'bs=1M', 'count=9', 'status=none');
    await run(
      'dd',
      `if=${source}`,
      `of=${m.path('direct')}`,
      'bs=1M',
      'oflag=direct',
      'status=none',
    );
    await run(
      'dd',
      `if=${m.path('direct')}`,
      `of=${source}.back`,
      'bs=64k',
      'iflag=direct',
      'status=none',
    );
    t.true((await readFile(source)).equals(await readFile(`${source}.back`)));
    await mkdir(m.path('a/b/c'), { recursive: true });
    await writeFile(m.path('a/b/c/found'), 'x');
    const found = await run('find', m.directory, '-type', 'f', '-size', '-2k', '-newer', source);
    t.is(found, `${m.path('a/b/c/found')}\n`);
    t.regex(await run('du', '-s', '--apparent-size', '-B1', m.path('direct')), /^9437184\t/);
  },
  ['dd', 'find', 'du'],
);

mountTest(
  'fallocate punches, zeros and extends; a range is copied from file to file',
  async (t) => {
    const m = await Mounted.start(t);
    const path = m.path('ranged');
    const content = Buffer.alloc(3 * 2 ** 20, 'some text ');
    await writeFile(path, content);
    const same = Buffer.from(content);
    const inRange = async (offset: number, length: number, ...flags: readonly string[]) => {
      await run('fallocate', ...flags, '-o', String(offset), '-l', String(length), path);
      return readFile(path);
    };
    same.fill(0, 1000, 1_201_000);
    t.true((await inRange(1000, 1_200_000, '--punch-hole')).equals(same));
    same.fill(0, 2_000_000, 2_000_007);
    t.true((await inRange(2_000_000, 7, '--zero-range')).equals(same));
    t.true((await inRange(content.length - 1, 500, '--keep-size')).equals(same.fill(same)));
    const longer = await inRange(content.length - 1, 101);
    t.is(longer.length, content.length + 100);
    t.true(longer.subarray(0, content.length).equals(same));
    t.true(longer.subarray(content.length).every((byte) => byte === 0));
    await t.throwsAsync(inRange(0, 4096, '--collapse-range'), { message: /not supported/i });

    const script =
      'import os,sys; a=os.open(sys.argv[1],os.O_RDONLY); b=os.open(sys.argv[2],os.O_RDWR|os.O_CREAT); ' +
      'n=2500000; i=5; o=7\nwhile n>0:\n  c=os.copy_file_range(a,b,n,i,o); assert c>0; n-=c; i+=c; o+=c';
    await run('python3', '-c', script, path, m.path('copy'));
    const copy = await readFile(m.path('copy'));
    t.true(copy.subarray(7).equals(longer.subarray(5, 2_500_005)));
    t.true(copy.subarray(0, 7).every((byte) => byte === 0));
  },
  ['fallocate', 'python3'],
);
