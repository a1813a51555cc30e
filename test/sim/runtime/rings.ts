/** The flight recorders of all processes of a world, of each life one; the latest lives are kept. */
import { Recorder } from '../../../shared/trace/recorder.ts';
import { Ring } from '../../../shared/trace/ring.ts';
import type { SimProcess } from './process.ts';

const livesKept = 256;

export class Rings {
  readonly #records: number;
  #lives: { readonly recorder: Recorder; image: Uint8Array }[] = [];

  /** @param records that each of them holds */
  constructor(records: number) {
    this.#records = records;
  }

  /** For a life of a process that begins. */
  begin({ name, host, starts }: SimProcess): Recorder {
    const atMs = host.clock.now();
    const { seconds, nanoseconds } = host.clock.wall();
    const role = name === 'mgr' ? 'mgr' : name.startsWith('iod') ? 'iod' : 'client';
    const recorder = new Recorder(this.#records, {
      role,
      name,
      pid: starts,
      boot: host.bootId,
      anchor: { atMs, hostMs: atMs, wallMs: seconds * 1000 + nanoseconds / 1e6 },
    });
    this.#lives.push({ recorder, image: recorder.image });
    if (this.#lives.length > 2 * livesKept) this.#lives = this.#lives.slice(-livesKept);
    return recorder;
  }

  /** Its life is over: what its last event still does is recorded nowhere. */
  end(recorder: Recorder): void {
    const life = this.#lives.find((one) => one.recorder === recorder);
    if (life) life.image = recorder.image.slice();
  }

  /** As they are at this moment, as files would have them. */
  images(): Uint8Array[] {
    return this.#lives.slice(-livesKept).map(({ image }) => image);
  }

  read(): Ring[] {
    return this.images().map((image) => new Ring(image));
  }
}
