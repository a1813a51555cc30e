import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { FuseDevice } from '../../client/fuse/device.ts';
import { decodeHeader } from '../../client/fuse/message.ts';
import { unmount } from '../../client/fuse/mounting.ts';
import { sessionOperations } from '../../client/fuse/protocol.ts';
import { temporaryDirectory } from './cluster-fixture.ts';
import { mountTest } from './mounted.ts';
import { made, undone } from './keepsafe.ts';

for (const waiting of ['loop', 'pool'] as const) {
  mountTest(`two mounts of one process begin and end each on its own (${waiting})`, async (t) => {
    const directory = await temporaryDirectory(t);
    const mounts = ['one', 'two'].map(async (name) => {
      const at = join(directory, name);
      await mkdir(at);
      made('mount', at);
      t.teardown(async () => {
        await unmount(at, { lazy: true }).catch(() => undefined);
        undone('mount', at);
      });
      let began: (() => void) | undefined;
      const begun = new Promise<void>((resolve) => (began = resolve));
      const receive = (message: Buffer): undefined => {
        if (decodeHeader(message).opcode === sessionOperations.init.code) began?.();
      };
      const wish = { directory: at, source: 'weft-test', options: [] };
      const device = await FuseDevice.mount(wish, receive, waiting);
      await begun;
      await unmount(at, { lazy: true });
      await device.ended;
    });
    await t.notThrowsAsync(Promise.all(mounts));
  });
}

test('a mount that the kernel refuses says so', async (t) => {
  const wish = { directory: '/nowhere', source: 'weft-test', options: [] };
  await t.throwsAsync(FuseDevice.mount(wish, () => undefined));
});
