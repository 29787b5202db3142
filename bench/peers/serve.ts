/** The peer's side of the protocol: prepares, repeats and times the requested work. */
import { createInterface } from 'node:readline';
import { sleepUntil } from '../../engine/device/gpu.node.ts';
import { CallCounter } from '../calls.ts';
import { decode, encode, type Greeting, type Ran, REPLY, type Request, type Wait } from './protocol.ts';
import {
  type Arrays,
  type ClassifyingWork,
  type ConvolutionWork,
  inputsOf,
  isUpdate,
  type Pass,
  type TrainingWork,
  type Work,
} from './works.ts';

/** Prepared work that can be repeated. */
export interface Prepared {
  /** Does it `count` times and waits until all is done; training waits for each step, to read its loss. */
  run(count: number, wait: Wait): Promise<void>;
  /** Results of the last repetition: y, dx and dweight; for training all losses [steps] so far. */
  results(): Promise<Arrays>;
  release(): void;
}

/** An engine, used as its users would use it. */
export interface Peer extends Greeting {
  convolution(work: ConvolutionWork, pass: Pass, inputs: Arrays): Promise<Prepared>;
  training?(work: TrainingWork, inputs: Arrays): Promise<Prepared>;
  classifying?(work: ClassifyingWork, inputs: Arrays): Promise<Prepared>;
}

/** Waits for a promise of the peer: asleep, or as its users do. */
export const settle = <T>(promise: Promise<T>, wait: Wait): Promise<T> =>
  wait === 'quiet' ? sleepUntil(promise) : promise;

/** Training work: `step` does one update, waits for it and adds its loss to `losses`. */
export const steps = (step: () => Promise<void>, losses: readonly number[], release: () => void): Prepared => ({
  async run(count, wait) {
    for (let i = 0; i < count; i++) await settle(step(), wait);
  },
  results: async () => ({ losses: { shape: [losses.length], data: Float32Array.from(losses) } }),
  release,
});

/** Answers requests until stdin ends. Never returns, because Dawn may hang or crash in a normal exit. */
export async function serve(peer: Peer): Promise<never> {
  let prepared: { readonly work: Work; readonly ready: Prepared } | undefined;
  using counter = new CallCounter();
  let idleSince = performance.now();
  let idleCpu = process.cpuUsage();

  async function prepare(work: Work, pass: Pass, inputs: Arrays): Promise<Prepared> {
    if (work.kind === 'convolution') return await peer.convolution(work, pass, inputs);
    if (!peer.training || !peer.classifying) throw new Error('does not train');
    return work.kind === 'training' ? await peer.training(work, inputs) : await peer.classifying(work, inputs);
  }

  async function run(repeats: number, flight: number, wait: Wait): Promise<Ran> {
    if (!prepared) throw new Error('nothing is prepared');
    const { work, ready } = prepared;
    counter.take();
    const cpu = process.cpuUsage();
    const began = performance.now();
    const idle = process.cpuUsage(idleCpu);
    const together = isUpdate(work) ? repeats : flight;
    for (let left = repeats; left > 0; left -= together) await ready.run(Math.min(left, together), wait);
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    return {
      ms,
      cpuMs: (user + system) / 1000,
      calls: counter.take(),
      idleMs: began - idleSince,
      idleCpuMs: (idle.user + idle.system) / 1000,
    };
  }

  async function answer(request: Request): Promise<unknown> {
    switch (request.do) {
      case 'check': {
        const ready = await prepare(request.work, request.pass, decode(request.arrays));
        try {
          await ready.run(request.steps, 'quiet');
          return { arrays: encode(await ready.results()) };
        } finally {
          ready.release();
        }
      }
      case 'prepare': {
        const { work, pass } = request;
        prepared = { work, ready: await prepare(work, pass, inputsOf(work)) };
        return {};
      }
      case 'run':
        return await run(request.repeats, request.flight, request.wait);
      case 'release':
        prepared?.ready.release();
        prepared = undefined;
        return {};
    }
  }

  const reply = (content: unknown): void => {
    process.stdout.write(`${REPLY}${JSON.stringify(content)}\n`);
    idleSince = performance.now();
    idleCpu = process.cpuUsage();
  };
  const { version, adapter, software, passes } = peer;
  reply({ version, adapter, software, passes } satisfies Greeting);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      reply(await answer(JSON.parse(line) as Request));
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  process.exit(0);
}
