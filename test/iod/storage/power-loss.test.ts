/** What the store promises about a loss of power, on the simulated disk, over many seeds. */
import test from 'ava';
import { FileObjectStore } from '../../../iod/storage/file-object-store.ts';
import type { ObjectStore } from '../../../iod/storage/object-store.ts';
import { Quarantine } from '../../../iod/storage/quarantine.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';
import type { SimProcess } from '../../sim/runtime/process.ts';
import { World } from '../../sim/runtime/world.ts';
import { readText } from './real-store.ts';

const seeds = Array.from({ length: 25 }, (_, at) => at + 1);
const one = 1 as Handle;
const neighbour = 2 as Handle;
const far = 9_000_000 as Handle;
const text = (value: string): readonly Uint8Array[] => [Buffer.from(value)];

/** A host with one process, whose data directory is there and durable. */
class Machine {
  readonly #world: World;
  readonly #process: SimProcess;

  constructor(seed: number) {
    this.#world = new World({ seed });
    this.#process = this.#world.process('iod', {
      host: this.#world.host('a'),
      main: () => undefined,
    });
  }

  /** Does something with the store of a process that is new each time. */
  async run<T>(work: (store: ObjectStore, quarantine: Quarantine) => Promise<T>): Promise<T> {
    return this.#world.complete(
      this.#process.call(async (runtime) => {
        const { store, quarantine } = await openStore(runtime);
        return work(store, quarantine);
      }),
    );
  }

  restart(): void {
    this.#process.restart();
  }

  losePower(): void {
    this.#process.host.powerLoss();
    this.#process.host.powerOn();
    this.#process.start();
  }
}

async function openStore(runtime: Runtime) {
  const dataDirectory = '/data';
  await runtime.disk.makeDirectory('/data/objects');
  await runtime.disk.syncDirectory('/');
  await runtime.disk.syncDirectory('/data');
  const quarantine = new Quarantine(runtime, dataDirectory);
  await quarantine.open();
  return {
    quarantine,
    store: new FileObjectStore({ runtime, dataDirectory, quarantine, onLoss: fail }),
  };
}

function fail(why: Error): never {
  throw why;
}

test('what was synced is there after a loss of power, each object by its own sync (SCENARIOS 223)', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => {
      for (const handle of [one, neighbour, far]) {
        await store.write(handle, 0, text(`object ${handle}`));
        await store.sync(handle);
      }
      await store.write(one, 0, text('OB'));
      await store.sync(one);
    });
    machine.losePower();
    await machine.run(async (store) => {
      t.is(await readText(store, one), 'OBject 1');
      t.is(await readText(store, neighbour), 'object 2');
      t.is(await readText(store, far), 'object 9000000');
    });
  }
});

test('without a sync something is lost sooner or later: the simulated disk is no better than a real one', async (t) => {
  let losses = 0;
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => store.write(one, 0, text('never synced')));
    machine.losePower();
    losses += await machine.run(async (store) => ((await store.stat(one)) ? 0 : 1));
  }
  t.true(losses > 0);
});

test('a sync by a process that did not make the object covers its name too (SCENARIOS 223)', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => store.write(far, 0, text('made before the kill')));
    machine.restart();
    await machine.run((store) => store.sync(far));
    machine.losePower();
    await machine.run(async (store) => {
      t.is(await readText(store, far), 'made before the kill');
    });
  }
});

test('a truncate is durable when it is answered, also of an object that was not there', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => {
      await store.write(one, 0, text('abcdef'));
      await store.sync(one);
      await store.truncate(one, 3);
      await store.truncate(far, 4);
    });
    machine.losePower();
    await machine.run(async (store) => {
      t.is(await readText(store, one), 'abc');
      t.is(await readText(store, far), '\0\0\0\0');
    });
  }
});

test('bytes that are placed are durable when it is answered, in place of what was there', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => {
      await store.write(one, 0, text('abcdef'));
      await store.place(one, Buffer.from('xyz'));
      await store.place(far, Buffer.from('new'));
    });
    machine.losePower();
    await machine.run(async (store) => {
      t.is(await readText(store, one), 'xyz');
      t.is(await readText(store, far), 'new');
    });
  }
});

test('a removal is durable when it is answered, and what comes to its directory later too', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store) => {
      await store.write(one, 0, text('removed'));
      await store.sync(one);
      await store.remove([one, far]);
      await store.write(neighbour, 0, text('kept'));
      await store.sync(neighbour);
    });
    machine.losePower();
    await machine.run(async (store) => {
      t.is(await store.stat(one), undefined);
      t.is(await readText(store, neighbour), 'kept');
    });
  }
});

test('what is set aside or put back is at one place or the other, whenever the power goes', async (t) => {
  for (const seed of seeds) {
    const machine = new Machine(seed);
    await machine.run(async (store, quarantine) => {
      await store.write(one, 0, text('moved'));
      await store.sync(one);
      await quarantine.setAside('objects/0/00/1', one, 'for a test');
    });
    machine.losePower();
    await machine.run(async (store, quarantine) => {
      t.is(await store.stat(one), undefined);
      const { entries } = await quarantine.list('');
      t.is(entries.length, 1);
      await quarantine.restore(entries[0]?.id ?? '');
    });
    machine.losePower();
    await machine.run(async (store, quarantine) => {
      t.is(await readText(store, one), 'moved');
      t.is(quarantine.count, 0);
    });
  }
});
