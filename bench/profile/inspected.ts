/** A process with an open inspector, of which V8 takes samples while something is measured. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { CpuProfile } from './summary.ts';

/** Makes Node open its inspector, at a port that it says in its first line. */
export const inspectOption = '--inspect=127.0.0.1:0';
const samplingUs = 250;
const saidMs = 5000;

interface Answer {
  readonly id: number;
  readonly result: { readonly profile?: CpuProfile };
}

export class InspectedProcess {
  readonly #socket: WebSocket;
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param log where the process writes its standard error */
  static async of(log: string): Promise<InspectedProcess> {
    const socket = new WebSocket(await urlIn(log), { perMessageDeflate: false });
    await once(socket, 'open');
    const inspected = new InspectedProcess(socket);
    await inspected.#ask('Profiler.enable');
    await inspected.#ask('Profiler.setSamplingInterval', { interval: samplingUs });
    return inspected;
  }

  async start(): Promise<void> {
    await this.#ask('Profiler.start');
  }

  async stop(): Promise<CpuProfile> {
    const { profile } = await this.#ask('Profiler.stop');
    if (profile === undefined) throw new Error('the inspector gave no profile');
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, params = {}): Promise<Answer['result']> {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [message] = (await once(this.#socket, 'message')) as [Buffer];
      const answer = JSON.parse(message.toString()) as Answer;
      if (answer.id === id) return answer.result;
    }
  }
}

async function urlIn(log: string): Promise<string> {
  for (const until = performance.now() + saidMs; performance.now() < until;) {
    const url = /^Debugger listening on (ws:\S+)/m.exec(readFileSync(log, 'utf8'))?.[1];
    if (url !== undefined) return url;
    await setTimeout(20);
  }
  throw new Error(`no inspector is named in ${log}`);
}
