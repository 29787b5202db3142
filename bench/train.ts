/** `bench train`: whole training steps with the trainer of `daybreak train`, on synthetic images. */
import type { Command } from 'commander';
import type { Device } from '../engine/device/device.ts';
import { shrink } from '../image/resize.ts';
import { syntheticPicture } from '../image/synthetic.ts';
import { discriminator } from '../models/discriminator.ts';
import { srresnet } from '../models/srresnet.ts';
import { vgg19Random } from '../models/vgg19.ts';
import { ContentTraining } from '../train/content-training.ts';
import { vggTerm } from '../train/loss-terms.ts';
import { CropSource } from '../train/pictures/crop-source.ts';
import { type ProfileSummary, summarize, TrainingProfiler } from '../train/profile/profile.ts';
import { SrganTraining } from '../train/srgan.ts';
import { Trainer } from '../train/trainer.ts';
import { CallCounter, type Calls } from './calls.ts';
import { CeilingProbes, ceilingOf, rateOf } from './ceiling.ts';
import { type Contender, measure, timed } from './measure.ts';
import { addBenchOptions, type BenchOptions, isWanted, publish, say, withDevice } from './options.ts';
import { adapterOf, timesOf } from './rows.ts';
import { type StepRow, trainTables } from './train-tables.ts';

interface Sizes {
  readonly name: 'SRResNet' | 'SRGAN-VGG54';
  readonly blocks: number;
  readonly channels: number;
  readonly batch: number;
  /** Side of the HR crops. */
  readonly crop: number;
}

type Size = 'small' | 'full';

/** A size that takes software adapters a fraction of a second, and the paper's. */
const SIZES: Readonly<Record<Size, Omit<Sizes, 'name'>>> = {
  small: { blocks: 4, channels: 32, batch: 4, crop: 64 },
  full: { blocks: 16, channels: 64, batch: 16, crop: 96 },
};

interface TrainOptions extends BenchOptions {
  readonly full?: boolean;
  readonly srgan?: boolean;
}

/** Adds `train` to the program. */
export function add(program: Command): void {
  const command = program
    .command('train')
    .description(
      `Training steps: ${workOf(sizesOf('small'))} on software adapters, ${workOf(sizesOf('full'))} on GPUs.`,
    )
    .option('--full', 'use the full size on software adapters too')
    .option('--srgan', 'SRGAN: with a discriminator and a randomly initialized VGG19, both as wide as the generator');
  addBenchOptions(command).action(run);
}

const sizesOf = (size: Size, srgan = false): Sizes => ({ name: srgan ? 'SRGAN-VGG54' : 'SRResNet', ...SIZES[size] });

const workOf = ({ name, blocks, channels, batch, crop }: Sizes): string =>
  `${name} ${blocks} blocks ${channels} channels on ${batch}x3x${crop}x${crop}`;

async function run(options: TrainOptions): Promise<void> {
  await withDevice(options, async (device, signal) => {
    const { software } = device.traits;
    const training = sizesOf(options.full || !software ? 'full' : 'small', options.srgan);
    if (!isWanted(options, workOf(training)))
      return say(`--only does not match ${workOf(training)}: nothing to measure.`);
    using probes = new CeilingProbes(device);
    const all = [...probes.arithmetic, ...probes.copies].map(({ contender }) => contender);
    const first = await measure(all, { samples: options.samples, signal });
    using steps = new Steps(device, training);
    const warmUp = await timed(() => steps.warmUp());
    signal.throwIfAborted();
    const profile = await steps.profile(Math.min(options.samples, 3));
    const flops = profile.convolutionGflop * 1e9;
    const [loop] = probes.arithmetic;
    const measureOptions = { samples: options.samples, budgetMs: 300_000, signal };
    const [own, top] = await measure([steps.contender, loop.contender], measureOptions);
    const by = software ? 'cpu' : 'wall';
    const row: StepRow = {
      work: workOf(training),
      pass: 'step',
      impl: 'daybreak',
      ...timesOf(own, { flops }),
      share: rateOf(flops, own)[by] / rateOf(loop.amount, top)[by],
      ...(await steps.calls()),
      profile,
      warm_up_ms: warmUp.ms,
    };
    const ceiling = ceilingOf(probes, [top, ...first.slice(1)]);
    const report = { adapter: adapterOf(device), ceiling, rows: [row] };
    const benchmark = [
      'train',
      ...(options.srgan ? ['--srgan'] : []),
      ...(options.full && software ? ['--full'] : []),
    ].join(' ');
    await publish(options, { benchmark, report, body: trainTables(row, software), partial: false });
  });
}

/** A network being trained. */
class Steps implements Disposable {
  readonly contender: Contender;
  readonly #device: Device;
  readonly #trainer: Trainer;
  readonly #held: readonly Disposable[];

  constructor(device: Device, { name, blocks, channels, batch, crop }: Sizes) {
    this.#device = device;
    const pictures = Array.from({ length: 8 }, (_, i) => syntheticPicture(1, i, 2 * crop));
    const pairs = pictures.map(hr => ({ hr, lr: shrink(hr) }));
    const generator = srresnet({ blocks, channels });
    const source = new CropSource(device, pairs, { batch, crop, seed: 1, flips: true, rotations: true });
    const held: Disposable[] = [source, generator];
    const adversarial = () => {
      const judge = discriminator({ channels, hidden: 16 * channels, size: crop });
      const vgg = vgg19Random({ widths: [1, 2, 4, 8, 8].map(times => times * channels) });
      held.push(judge, vgg);
      return new SrganTraining(generator, judge, { content: [vggTerm(vgg, { i: 5, j: 4 })] });
    };
    this.#trainer = new Trainer(name === 'SRResNet' ? new ContentTraining(generator) : adversarial(), source);
    this.#held = [this.#trainer, ...held];
    this.contender = { impl: 'daybreak', run: repeats => timed(() => this.#run(repeats)) };
  }

  async #run(steps: number): Promise<void> {
    const results = this.#trainer.run(this.#trainer.step + steps, rate);
    while (!(await results.next()).done);
    await this.#device.finished();
  }

  async warmUp(): Promise<void> {
    let said = performance.now();
    await this.#trainer.warmUp(rate, (done, total) => {
      if (performance.now() - said < 5000 && done < total) return;
      said = performance.now();
      say(`warming up kernels ${done}/${total}`);
    });
  }

  /** Profiles `updates` whole steps, and as many with each dispatch timed. */
  async profile(updates: number): Promise<ProfileSummary> {
    const profiler = new TrainingProfiler(this.#trainer, updates);
    while (!profiler.done) {
      await profiler.step(rate);
      say(`profiling ${this.#trainer.step - 1}/${2 * updates}`);
    }
    return summarize(profiler.profile!);
  }

  /** WebGPU calls per step, including reading its loss. */
  async calls(): Promise<Calls> {
    const steps = 4;
    using counter = new CallCounter();
    await this.#run(steps);
    const { dispatches, submits, buffers } = counter.take();
    return { dispatches: dispatches / steps, submits: submits / steps, buffers: buffers / steps };
  }

  [Symbol.dispose](): void {
    for (const held of this.#held) held[Symbol.dispose]();
  }
}

const rate = () => 1e-4;
