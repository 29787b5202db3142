import { describe, expect, test } from 'vitest';
import { requestGpu } from '#gpu';
import { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { bytesAlive } from '../../engine/program/plan.ts';
import { BufferCount } from '../../engine/program/profile.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { srresnet } from '../../models/srresnet.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { summarize, type TrainingProfile, TrainingProfiler } from '../../train/profile/profile.ts';
import { profileLines } from '../../train/profile/text.ts';
import { type TraceEvent, traceFile } from '../../train/profile/trace.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { SMALL, SmallTraining } from './small-training.ts';

const device = sharedDevice();

const rate = () => 1e-3;

async function profiled(training: SmallTraining, steps: number): Promise<TrainingProfile> {
  await training.trainer.warmUp(rate, () => {});
  const profiler = new TrainingProfiler(training.trainer, steps);
  expect(profiler.profile).toBeUndefined();
  while (!profiler.done) await profiler.step(rate);
  return profiler.profile!;
}

type SpanEvent = Extract<TraceEvent, { ph: 'X' }>;
const spansOf = (events: readonly TraceEvent[], tid?: number): SpanEvent[] =>
  events.filter((event): event is SpanEvent => event.ph === 'X' && (tid === undefined || event.tid === tid));

/** Multiply-adds of a small step's convolutions, layer by layer, times two; forward and both gradients. */
function smallGflop(): number {
  const { channels: n, blocks, batch, crop } = SMALL;
  const pixels = (crop / 4) ** 2 * batch;
  const layer = (outputs: number, inputs: number, kernel: number, at: number) =>
    2 * at * outputs * inputs * kernel ** 2;
  const first = layer(n, 3, 9, pixels);
  const others =
    (2 * blocks + 1) * layer(n, n, 3, pixels) +
    layer(4 * n, n, 3, pixels) +
    layer(4 * n, n, 3, 4 * pixels) +
    layer(3, n, 9, 16 * pixels);
  // The gradient with respect to the picture is not needed.
  return (2 * first + 3 * others) / 1e9;
}

describe('a profiled training', () => {
  test('gives the same bits as a normal training', async () => {
    using plain = new SmallTraining(device());
    using watched = new SmallTraining(device());
    const { whole, timed } = await profiled(watched, 2);
    expect([...whole, ...timed].map(({ result }) => result)).toEqual((await plain.to(5)).slice(1));
    expect(await watched.state()).toEqual(await plain.state());
    expect(await watched.to(8)).toEqual(await plain.to(8));
    expect(await watched.state()).toEqual(await plain.state());
  });

  test('has a summary', async () => {
    using training = new SmallTraining(device());
    const summary = summarize(await profiled(training, 2));
    const { figures } = training.trainer;
    expect(summary).toMatchObject({
      updates: { whole: 2, timed: 2 },
      clock: 'gpu',
      dispatches: figures!.dispatches,
      buffersMade: 0,
    });
    const { kernels, convolutionShare, convolutionGflop, gpuMs, stepMs, encodeMs, submitMs, dataMs, readbackMs } =
      summary;
    const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
    expect(sum(kernels.map(({ dispatches }) => dispatches))).toBe(figures!.dispatches);
    expect(sum(kernels.map(({ share }) => share))).toBeCloseTo(1, 9);
    expect(kernels.map(({ ms }) => ms)).toEqual(kernels.map(({ ms }) => ms).sort((a, b) => b - a));
    expect(convolutionGflop).toBeCloseTo(smallGflop(), 9);
    expect(convolutionShare).toBeGreaterThan(0.05);
    expect(convolutionShare).toBeLessThan(1);
    for (const time of [gpuMs, stepMs, encodeMs, submitMs, dataMs, readbackMs]) expect(time).toBeGreaterThan(0);
    expect(stepMs).toBeGreaterThan(encodeMs + submitMs);
    const { memory } = summary;
    const weights = 4 * sum(training.net.parameters().map(({ size }) => size));
    expect(memory.learned).toBe(4 * weights);
    expect(memory.kept).toBeLessThan(memory.alive);
    expect(memory.alive).toBeLessThanOrEqual(memory.temporaries);
    expect(memory.peak).toBeGreaterThan(memory.temporaries + 3 * weights);
    expect(memory.ratio).toBe(memory.peak / (memory.kept + memory.learned));
    // Every kernel is told of, and the sizes.
    const text = profileLines(summary).join('\n');
    expect(text).toContain(kernels[0].kernel);
    expect(text).toMatch(/update +[\d.]+ ms: data [\d.]+ ms, encode [\d.]+ ms.*1 submit, \d+ dispatches/);
    expect(text).toMatch(/GPU .* % of it in convolutions/);
    expect(text).toMatch(/memory .* MiB at the peak = [\d.]+ x/);
    expect(text).toMatch(/^created +0 buffers after the first update$/m);
  });

  test('uses the memory that it reports', async () => {
    const before = device().memory.figures().live;
    using training = new SmallTraining(device());
    const { memory } = summarize(await profiled(training, 1));
    const held = device().memory.figures().live - before;
    // Held besides: the number that is the learning rate, and the pictures. Results are not held any more.
    const { resultBytes } = training.trainer.figures!;
    expect(held).toBe(memory.peak + memory.pictures - resultBytes + 256);
  });
});

describe('the trace', () => {
  test('has nested spans in order, on a track for the host and one for the GPU', async () => {
    using training = new SmallTraining(device());
    const profile = await profiled(training, 2);
    const file = JSON.parse(JSON.stringify(traceFile(profile))) as ReturnType<typeof traceFile>;
    expect(file).toMatchObject({ displayTimeUnit: 'ms', otherData: { summary: { dispatches: expect.any(Number) } } });
    const names = file.traceEvents.filter(({ ph }) => ph === 'M').map(({ name, args }) => [name, args!.name]);
    expect(names).toEqual([
      ['process_name', 'daybreak train'],
      ['thread_name', 'host'],
      ['thread_name', 'GPU'],
    ]);
    const timed = file.traceEvents.filter(event => event.ph !== 'M');
    expect(timed.map(({ ts }) => ts)).toEqual(timed.map(({ ts }) => ts).sort((a, b) => a - b));
    for (const { ts, name, pid } of timed) expect([ts >= 0, name.length > 0, pid]).toEqual([true, true, 1]);
    for (const tid of [1, 2]) {
      const open: SpanEvent[] = [];
      for (const event of spansOf(file.traceEvents, tid)) {
        expect(event.dur).toBeGreaterThanOrEqual(0);
        while (open.length > 0 && event.ts >= open.at(-1)!.ts + open.at(-1)!.dur - 1e-6) open.pop();
        const around = open.at(-1);
        if (around) expect(event.ts + event.dur).toBeLessThanOrEqual(around.ts + around.dur + 1e-3);
        open.push(event);
        // The host's spans lie in their update's; dispatches follow each other.
        expect(open.length).toBeLessThanOrEqual(tid === 1 ? 2 : 1);
      }
    }
    const host = spansOf(file.traceEvents, 1).map(({ name }) => name);
    const inside = ['data', 'encode', 'submit', 'wait', 'readback'];
    expect(host).toEqual([2, 3, 4, 5].flatMap(step => [`step ${step}`, ...inside]));
  });

  test('describes each dispatch inside its update', async () => {
    using training = new SmallTraining(device());
    const profile = await profiled(training, 2);
    const { traceEvents } = traceFile(profile);
    const gpu = spansOf(traceEvents, 2);
    expect(gpu).toHaveLength(2 * profile.figures.dispatches);
    for (const { args } of gpu)
      expect(args).toMatchObject({
        operation: expect.any(String),
        workgroups: expect.stringMatching(/^\d+ x \d+ x \d+$/),
        bytes: expect.any(Number),
      });
    const gflop = gpu.reduce((sum, { args }) => sum + Number(args!.GFLOP ?? 0), 0);
    expect(gflop).toBeCloseTo(2 * smallGflop(), 9);
    const host = spansOf(traceEvents, 1);
    for (const [i, step] of ['step 4', 'step 5'].entries()) {
      const at = host.findIndex(({ name }) => name === step);
      const [around, , , submit, wait] = host.slice(at, at + 5);
      const own = gpu.slice(i * profile.figures.dispatches, (i + 1) * profile.figures.dispatches);
      expect(submit.name + wait.name).toBe('submitwait');
      expect(own[0].ts).toBeGreaterThanOrEqual(submit.ts);
      expect(own.at(-1)!.ts + own.at(-1)!.dur).toBeLessThanOrEqual(around.ts + around.dur);
    }
    const counted = traceEvents.filter(event => event.ph === 'C').map(({ args }) => Number(args.MiB) * 2 ** 20);
    expect(Math.max(...counted)).toBeCloseTo(summarize(profile).memory.alive, 3);
  });

  test('works without GPU timestamps', async () => {
    const adapter = (await (await requestGpu()).requestAdapter())!;
    const requiredFeatures = (['subgroups'] as unknown as GPUFeatureName[]).filter(name => adapter.features.has(name));
    const gpu = await adapter.requestDevice({ requiredFeatures });
    using bare = await Device.create({ device: gpu });
    setCurrentDevice(bare);
    try {
      using training = new SmallTraining(bare);
      const profile = await profiled(training, 1);
      const summary = summarize(profile);
      expect(summary.clock).toBe('host');
      expect(profileLines(summary).join('\n')).toContain('the adapter has no timestamps');
      const { traceEvents } = traceFile(profile);
      const step = spansOf(traceEvents, 1).find(({ name }) => name === 'step 3')!;
      for (const { ts, dur } of spansOf(traceEvents, 2)) {
        expect(ts).toBeGreaterThanOrEqual(step.ts);
        expect(ts + dur).toBeLessThanOrEqual(step.ts + step.dur);
      }
    } finally {
      setCurrentDevice(device());
      gpu.destroy();
    }
  });
});

describe('after the first update', () => {
  test.each(['warmed up', 'run'])('(%s) no buffer is created', async way => {
    using training = new SmallTraining(device());
    if (way === 'warmed up') await training.trainer.warmUp(rate, () => {});
    else await training.to(1);
    using buffers = new BufferCount(device().gpu);
    await training.to(12);
    await training.trainer.profile(rate);
    expect(buffers.count).toBe(0);
  });
});

describe('the memory of an update', () => {
  /** Training at sizes at which nothing is run here: the update is planned only. */
  function planned(sizes: { blocks: number; channels: number; batch: number; crop: number }) {
    using net = srresnet(sizes);
    const pictures = [bare(sizes.crop)];
    const options = { ...sizes, seed: 1, flips: false, rotations: false };
    using source = new CropSource(device(), pictures, options);
    using trainer = new Trainer(new ContentTraining(net), source);
    const { pipelineCount } = device();
    const { figures, lowered } = trainer.plan();
    expect([trainer.step, trainer.figures, device().pipelineCount]).toEqual([0, undefined, pipelineCount]);
    const learned = 16 * net.parameters().reduce((sum, { size }) => sum + size, 0);
    const peak = figures.temporaryBytes + figures.variableBytes + figures.resultBytes;
    return { ratio: peak / (figures.keptBytes + learned), alive: Math.max(...bytesAlive(lowered)), figures };
  }

  const bare = (side: number) => {
    const hr = syntheticPicture(1, 0, side);
    return { hr, lr: shrink(hr) };
  };

  test.each([
    ['the paper’s network', { blocks: 16, channels: 64, batch: 16, crop: 96 }, 1.25],
    // The smaller the network, the more of the peak is gradients of the last layers, which nothing keeps.
    ['the network of the benchmarks', { blocks: 4, channels: 32, batch: 4, crop: 64 }, 1.3],
  ])('of %s is little more than what must be kept, plus parameters, gradients and moments', (_, sizes, most) => {
    const { ratio, alive, figures } = planned(sizes);
    expect(ratio).toBeLessThanOrEqual(most);
    // More than what must be kept has to be there at once; the plan adds little to that.
    expect(alive).toBeGreaterThan(figures.keptBytes);
    expect(figures.temporaryBytes).toBeLessThan(1.1 * alive);
  });
});
