/** Small files that a mount reads without a word to the mgr: they are read as on a local disk, whatever becomes of them. */
import { constants } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { placeAt } from '../../client/handle-place.ts';
import { limits } from '../../shared/limits.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import type { FsError } from '../../shared/errno.ts';
import { byteString, rootHandle } from '../../shared/units.ts';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import { type Descriptor, MountCalls } from './mount-calls.ts';
import { Stage } from './stage.ts';

const smallFileBytes = 1000;

/** Two mounts; the first, which reads, knows a small file of the second. */
async function begin(seed: number) {
  const stage = new Stage({ seed, iods: 1, programs: 2, smallFileBytes });
  const [one, two] = (await stage.joinAll()) as [FileSystem, FileSystem];
  const mount = (program: number, fileSystem: FileSystem): Promise<MountCalls> =>
    stage.run(program, () => Promise.resolve(new MountCalls(fileSystem)));
  const [reader, other] = [await mount(0, one), await mount(1, two)];
  await stage.pass(100);
  await stage.run(1, () => other.writeFile('f', 'old'));
  await stage.pass(1000);
  // As `ls -l`: all names are known.
  await stage.run(0, () => reader.volume.access.page(rootHandle, 0, {}));
  return { stage, reader, other };
}

type Scene = Awaited<ReturnType<typeof begin>>;

/** The file, open without the mgr's knowledge, and none of its bytes read. */
async function opened(t: ExecutionContext, { stage, reader }: Scene): Promise<Descriptor> {
  const descriptor = await stage.run(0, async () => {
    reader.asked.length = 0;
    return reader.open('f');
  });
  t.false(reader.asked.includes('open'));
  t.is(stage.openCount, 0);
  return descriptor;
}

/** Nothing is left of a file without a name when nobody has it open. */
async function endsWith(t: ExecutionContext, { stage, reader }: Scene, descriptor: Descriptor) {
  await stage.run(0, () => Promise.resolve(reader.close(descriptor)));
  await stage.pass(limits.fuseIdleReaderMs + 1000);
  t.is(stage.openCount, 0);
  t.is(stage.cluster.store?.inode(descriptor.handle), undefined);
}

test('who opens, reads and closes a small file asks the mgr once, and then not at all', async (t) => {
  const { stage, reader } = await begin(1);
  for (const expected of [['readWhole'], []]) {
    const text = await stage.run(0, async () => {
      reader.asked.length = 0;
      const descriptor = await reader.open('f');
      const read = await reader.read(descriptor);
      reader.close(descriptor);
      return read;
    });
    t.is(text, 'old');
    await stage.pass(100);
    t.deepEqual(reader.asked, expected);
  }
  await stage.pass(2 * limits.fuseIdleReaderMs);
  t.deepEqual(reader.asked, [], 'there is nothing to give back');
  t.is(stage.openCount, 0);
});

test('who goes through a tree reads it by a few messages', async (t) => {
  const { stage, reader, other } = await begin(2);
  const count = 100;
  await stage.run(1, async () => {
    for (let i = 0; i < count; i++) await other.writeFile(`g${i}`, `text ${i}`);
  });
  await stage.pass(1000);
  await stage.run(0, async () => {
    for (let i = 0; i < count; i++) await reader.lookUp(`g${i}`);
    reader.asked.length = 0;
    for (let i = 0; i < count; i++) {
      const descriptor = await reader.open(`g${i}`);
      t.is(await reader.read(descriptor), `text ${i}`);
      reader.close(descriptor);
    }
  });
  const asked = new Set(reader.asked);
  t.deepEqual([...asked], ['readWhole']);
  t.true(reader.asked.length < 12, `${reader.asked.length} messages`);
});

test('a file that stays open the mgr hears of a moment later, and of its close', async (t) => {
  const scene = await begin(3);
  const { stage, reader } = scene;
  const descriptor = await opened(t, scene);
  await stage.pass(limits.openUnderRightMs + 100);
  t.is(stage.openCount, 1);
  t.is(await stage.run(0, () => reader.read(descriptor)), 'old');
  await stage.run(0, () => Promise.resolve(reader.close(descriptor)));
  await stage.pass(2 * limits.fuseIdleReaderMs);
  t.is(stage.openCount, 0);
});

type Change = (scene: Scene) => Promise<unknown>;

/** What takes its name from the file. */
const changes: Record<string, Change> = {
  'is unlinked by another mount': ({ stage, other }) => stage.begin(1, () => other.unlink('f')),
  'is unlinked by the same mount': ({ stage, reader }) => stage.begin(0, () => reader.unlink('f')),
  'is renamed over by another mount': ({ stage, other }) =>
    stage.begin(1, async () => {
      await other.writeFile('new', 'new');
      await other.rename('new', 'f');
    }),
  'is renamed over by the same mount': ({ stage, reader }) =>
    stage.begin(0, async () => {
      await reader.writeFile('new', 'new');
      await reader.rename('new', 'f');
    }),
};

const steps: readonly KillPoint[] = ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'];

for (const [what, change] of Object.entries(changes)) {
  test(`a file that is open and ${what} is read on`, async (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const scene = await begin(seed);
      const { stage, reader } = scene;
      const descriptors = [await opened(t, scene), await opened(t, scene)];
      await stage.settle(change(scene));
      for (const one of descriptors) t.is(await stage.run(0, () => reader.read(one)), 'old');
      const [first, second] = descriptors as [Descriptor, Descriptor];
      await stage.run(0, () => Promise.resolve(reader.close(first)));
      await stage.pass(limits.fuseIdleReaderMs + 1000);
      t.is(await stage.run(0, () => reader.read(second)), 'old', 'as long as anybody has it open');
      await endsWith(t, scene, second);
    }
  });

  for (const point of steps) {
    test(`a file that is open and ${what} is read on when the mgr dies at ${point}`, async (t) => {
      for (let passing = 1; passing <= 4; passing++) {
        const scene = await begin(passing);
        const { stage, reader } = scene;
        const descriptor = await opened(t, scene);
        stage.world.killAt({ process: 'mgr', point, restartAfterMs: 500, passing });
        await stage.settle(change(scene));
        await stage.pass(1000);
        t.is(await stage.run(0, () => reader.read(descriptor)), 'old', `passing ${passing}`);
        await endsWith(t, scene, descriptor);
      }
    });
  }
}

test('a file that is open is read as it is by then, when another mount writes it', async (t) => {
  const scene = await begin(4);
  const { stage, reader, other } = scene;
  const descriptor = await opened(t, scene);
  await stage.run(1, () => other.writeFile('f', 'new, and longer'));
  t.is(await stage.run(0, () => reader.read(descriptor)), 'new, and longer');
  await stage.run(1, () => other.writeFile('f', 'x'.repeat(2 * smallFileBytes)));
  t.is(await stage.run(0, () => reader.read(descriptor)), 'x'.repeat(2 * smallFileBytes));
});

test('so it is when the same mount does', async (t) => {
  const scene = await begin(5);
  const { stage, reader } = scene;
  const descriptor = await opened(t, scene);
  await stage.run(0, () => reader.writeFile('f', 'new'));
  t.is(await stage.run(0, () => reader.read(descriptor)), 'new');
  await stage.run(0, () => reader.writeFile('f', 'x'.repeat(2 * smallFileBytes)));
  t.is(await stage.run(0, () => reader.read(descriptor)), 'x'.repeat(2 * smallFileBytes));
});

test('what is open and taken away in a directory that is lent to the mount is read on', async (t) => {
  for (const how of ['unlink', 'rename'] as const) {
    const scene = await begin(6);
    const { stage, reader } = scene;
    const directory = await stage.run(0, () => reader.makeDirectory('d'));
    await stage.pass(100);
    const handle = await stage.run(0, () => reader.writeFile('f', 'old', directory));
    await stage.settle(reader.volume.access.settled(handle, {}) ?? Promise.resolve());
    const descriptor = await stage.run(0, async () => {
      reader.asked.length = 0;
      return reader.open('f', directory);
    });
    t.is(stage.openCount, 0, how);
    t.truthy(reader.volume.access.here(directory), 'it is lent yet');
    await stage.run(0, async () => {
      if (how === 'unlink') return reader.unlink('f', directory);
      await reader.writeFile('new', 'new', directory);
      return reader.rename('new', 'f', directory);
    });
    t.false(reader.asked.includes('unlink') || reader.asked.includes('rename'), how);
    t.is(await stage.run(0, () => reader.read(descriptor)), 'old');
    await stage.pass(2 * limits.lentDirectoryMs);
    t.is(await stage.run(0, () => reader.read(descriptor)), 'old', 'also when the mgr knows');
    await endsWith(t, scene, descriptor);
  }
});

test('what has lost its name is opened anew by its number, and stays while that is open', async (t) => {
  const scene = await begin(7);
  const { stage, reader, other } = scene;
  const first = await opened(t, scene);
  await stage.run(1, () => other.unlink('f'));
  await stage.pass(1000);
  const second = await stage.run(0, async () => {
    await reader.volume.access.attr(first.handle, {});
    const { file, handle } = await reader.openNode(first.handle);
    reader.close(first);
    return { file, handle };
  });
  await stage.pass(limits.openUnderRightMs / 2);
  t.is(await stage.run(0, () => reader.read(second)), 'old');
  await stage.pass(2 * limits.fuseIdleReaderMs);
  t.is(await stage.run(0, () => reader.read(second)), 'old');
  await endsWith(t, scene, second);
});

test('a file that is open is read on by a mount that was cut off for a moment while it was unlinked', async (t) => {
  for (const cutMs of [10, 500, limits.rightAtMgrMs - 1000]) {
    const scene = await begin(8);
    const { stage, reader, other } = scene;
    const descriptor = await opened(t, scene);
    stage.world.network.partition('program0', 'mgr');
    const unlinked = stage.begin(1, () => other.unlink('f'));
    await stage.pass(cutMs);
    stage.world.network.heal();
    await stage.settle(unlinked);
    t.is(await stage.run(0, () => reader.read(descriptor)), 'old', `${cutMs} ms`);
    await endsWith(t, scene, descriptor);
  }
});

test('a file that is open is read on when the mgr dies while it is unlinked, and is not there at once', async (t) => {
  for (const downMs of [100, 2000, 20_000]) {
    const scene = await begin(9);
    const { stage, reader, other } = scene;
    const descriptor = await opened(t, scene);
    stage.bounce(stage.cluster.mgr, downMs);
    const unlinked = stage.begin(1, () => other.unlink('f'));
    await stage.settle(unlinked);
    t.is(await stage.run(0, () => reader.read(descriptor)), 'old', `${downMs} ms`);
    await endsWith(t, scene, descriptor);
  }
});

/** Own changes upon which the right goes: the mount is told of that, and nobody waits until it has heard. */
const ownChanges: Record<string, (reader: MountCalls, descriptor: Descriptor) => Promise<unknown>> =
  {
    'marked with an attribute': ({ volume: { access } }, { handle }) => {
      const value = Buffer.from('1');
      const rest = { value, follow: false, mustExist: false, mustNotExist: false };
      return access.call(nameOps.setXattr, { ...rest, at: placeAt(handle), name: mark }, {});
    },
    written: async (reader, { handle }) => {
      const writer = await reader.openNode(handle, constants.O_WRONLY);
      await reader.write(writer, 'old');
      reader.close(writer);
      reader.volume.access.closeNow();
    },
    moved: (reader) => reader.rename('f', 'g'),
  };
const mark = byteString('user.mark');

for (const [what, change] of Object.entries(ownChanges)) {
  test(`a file that is open and was ${what} by its mount is read on when another removes it at once`, async (t) => {
    for (let seed = 1; seed <= 60; seed++) {
      const scene = await begin(seed);
      const { stage, reader, other } = scene;
      // Then the mount has no right to the directory that would have to be taken back too.
      await stage.run(1, () => other.writeFile('beside', ''));
      await stage.pass(500);
      const { cache } = reader.volume.access;
      const name = byteString('f');
      t.is(cache?.find(rootHandle, name), undefined);
      const handle = await stage.run(1, () => other.lookUp('f'));
      t.truthy(cache?.attr(handle));
      const descriptor = await stage.run(0, () => reader.openNode(handle));
      t.is(stage.openCount, 0);
      const changed = stage.begin(0, () => change(reader, descriptor));
      await stage.pass(seed * 0.05);
      const removed = stage.begin(1, async () => {
        for (;;) {
          try {
            return await other.unlink(what === 'moved' ? 'g' : 'f');
          } catch (error) {
            if ((error as FsError).code !== 'ENOENT') throw error;
          }
        }
      });
      const outcome = changed.catch((error: unknown) => {
        if (!['ENOENT', 'ESTALE'].includes((error as FsError).code)) throw error;
      });
      await stage.settle(Promise.all([outcome, removed]));
      t.is(await stage.run(0, () => reader.read(descriptor)), 'old', `seed ${seed}`);
      await endsWith(t, scene, descriptor);
    }
  });
}
