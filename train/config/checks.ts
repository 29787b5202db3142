/** The checks of a training configuration that concern more than one option. */

import { completed } from '../../models/network.ts';
import { type Variant, variantOf } from '../variants.ts';
import { fieldOptionsOf, infoOf, KEYS, Options, type TrainConfig, type TrainOption } from './options.ts';

/**
 * The largest number of elements of a batch, and of weights of a network: indices have 32 bits, and an element takes four
 * bytes.
 */
const MAX_ELEMENTS = 2 ** 30;

/** Whether an option has a meaning for a variant with this optimizer; for one of them, if `optimizer` is undefined. */
export function applies(
  key: TrainOption,
  { vgg, adversarial, mse, network }: Pick<Variant, 'vgg' | 'adversarial' | 'mse' | 'network'>,
  optimizer: unknown,
): boolean {
  const { part, isField } = infoOf(key);
  if (isField) return key in network.fields;
  const { summed, options } = network.recipe;
  switch (part) {
    case 'pixel loss':
      return mse && !summed;
    case 'VGG loss':
      return vgg !== undefined;
    case 'discriminator':
      return adversarial;
    case 'choice of optimizer':
      return !adversarial;
    case 'Adam':
      return adversarial || optimizer !== 'sgd';
    case 'momentum':
      return !adversarial && optimizer !== 'adam';
    case 'deep supervision':
      return key in options;
    default:
      return true;
  }
}

/** Reports a problem with an option. `message` completes "expected …" unless it is a sentence of its own. */
type Report = (key: TrainOption, message: string, kind?: 'sentence') => void;

/** All options with the checks across them. */
export const TrainConfigSchema = Options.superRefine((config, context) => {
  const variant = variantOf(config.model);
  if (!variant) return;
  const report: Report = (key, message, kind) => {
    context.addIssue({ code: 'custom', path: [key], message, params: { sentence: kind === 'sentence' } });
  };
  for (const key of KEYS) {
    if (config[key] !== undefined && !applies(key, variant, config.optimizer))
      report(key, absence(key, variant), 'sentence');
  }
  checkCombinations(config, report);
  checkNetworkSizes(config, variant, report);
  checkCrops(config, variant, report);
});

/** Why an option does not apply. */
function absence(key: TrainOption, { name, adversarial }: Variant): string {
  const part = infoOf(key).part ?? key;
  if (part === 'Adam' && !adversarial) return 'needs --optimizer adam';
  if (part === 'momentum' && !adversarial) return 'needs --optimizer sgd';
  return `does not apply to ${name}, which has no ${part}`;
}

function checkCombinations(config: TrainConfig, report: Report): void {
  if (config.lrSchedule === 'cosine' && config.lrFloor > config.lr) report('lrFloor', `at most lr, ${config.lr}`);
  if (config.emaWarmup && config.ema === 0)
    report('emaWarmup', 'needs --ema above 0: there is no moving average to warm up', 'sentence');
  if (config.icnr && config.init !== undefined && config.init !== 'none') report('icnr', 'random weights, no --init');
  if (config.data.includes('synthetic') && config.syntheticSize < config.crop)
    report('syntheticSize', `at least crop, ${config.crop}`);
}

function checkNetworkSizes(config: TrainConfig, variant: Variant, report: Report): void {
  const { channels = 64, blocks = 16, discriminatorChannels = 64, discriminatorHidden = 1024 } = config;
  // Only the layers that grow with the square of the channels: two convolutions per block, and two that upscale.
  if ((18 * blocks + 72) * channels ** 2 > MAX_ELEMENTS)
    report('channels', `fewer, or fewer --blocks: ${blocks} blocks of ${channels} feature maps have over 2^30 weights`);
  // Only the last convolution and the dense layer.
  const last = 8 * discriminatorChannels;
  if (variant.adversarial && 9 * last ** 2 + last * (config.crop / 16) ** 2 * discriminatorHidden > MAX_ELEMENTS)
    report('discriminatorChannels', 'fewer, or fewer --discriminator-hidden: the network has over 2^30 weights');
}

function checkCrops(config: TrainConfig, variant: Variant, report: Report): void {
  const { batch, accumulate, crop } = config;
  const given = Object.fromEntries(fieldOptionsOf(variant.network).map(key => [key, config[key]]));
  const most = Math.floor(MAX_ELEMENTS / (3 * crop ** 2));
  if (batch * accumulate > most)
    report('batch', `at most ${most} crops of ${crop} per update (--batch times --accumulate)`);
  if (batch * (crop / 4) ** 2 < 2)
    report('batch', 'at least 2 with crops of 4: a single value has no variance for batch norm');
  if (variant.adversarial && crop % 16 !== 0)
    report('crop', `a multiple of 16 for ${variant.name}: the discriminator halves it four times`);
  else if (variant.adversarial && batch * (crop / 16) ** 2 < 2)
    report('batch', 'at least 2 with crops of 16: a single value has no variance for batch norm');
  const { network } = variant;
  if (network.recipe.valid) {
    const size = 2 * network.halo(completed(network, given)) + 1;
    const least = network.images(completed(network, given)).enlarged ? 4 * Math.ceil(size / 4) : 4 * size;
    if (crop < least) report('crop', `at least ${least} for ${variant.name}: padding reaches all of smaller crops`);
  }
  if (variant.vgg && crop < 2 ** (variant.vgg.i - 1)) {
    const smallest = 2 ** (variant.vgg.i - 1);
    report('crop', `at least ${smallest} for ${variant.name}: max pooling leaves nothing of smaller crops`);
  }
}
