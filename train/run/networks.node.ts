/** The networks of a run: new ones, or those of a checkpoint. */

import { forShell } from '../../common/text.ts';
import type { Variable } from '../../engine/variable.ts';
import { discriminator } from '../../models/discriminator.ts';
import { decodeModel } from '../../models/model-file.ts';
import { created, type NetworkModule } from '../../models/network.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import type { Module } from '../../nn/module.ts';
import { SGD } from '../../nn/optim/sgd.ts';
import { AveragedTraining } from '../averaged-training.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { fieldOptionsOf } from '../config/options.ts';
import { contentTerms, describeVggTerm, vggFactors } from '../content-loss.ts';
import { ContentTraining } from '../content-training.ts';
import { ConfigError } from '../errors.ts';
import { exampleOf } from '../examples.ts';
import { SrganTraining } from '../srgan.ts';
import type { Crops, Training } from '../training.ts';
import { type LossNetwork, openLossNetwork } from './loss-network.node.ts';
import { restoreDiscriminator, restoreGenerator, restoreScored, type TrainedNetworks } from './state.ts';

/** The networks in training, and the loss network. */
export class Networks implements TrainedNetworks, Disposable {
  readonly generator: NetworkModule;
  readonly discriminator: NetworkModule | undefined;
  readonly scored: NetworkModule | undefined;
  readonly #loss: LossNetwork | undefined;

  constructor({
    generator,
    discriminator,
    scored,
    loss,
  }: TrainedNetworks & { readonly loss: LossNetwork | undefined }) {
    this.generator = generator;
    this.scored = scored;
    this.discriminator = discriminator;
    this.#loss = loss;
  }

  get vgg(): VGG19 | undefined {
    return this.#loss?.vgg;
  }

  /** The training method that the configuration describes. */
  training(config: TrainConfig): Training {
    const training = this.#training(config);
    return this.scored && config.ema > 0
      ? new AveragedTraining(training, this.scored, config.ema, config.emaWarmup)
      : training;
  }

  #training(config: TrainConfig): Training {
    const variant = variantOfConfig(config);
    const content = contentTerms(variant, this.vgg, config);
    const { adversarialWeight: adversarial, lr, dLr = lr, clipNorm, supervisionSteps } = config;
    const adam = { lr, clipNorm, ...given(config, ['beta1', 'beta2', 'eps']) };
    if (!this.discriminator) {
      const images = variant.network.images(this.generator.config);
      const optimizer =
        (config.optimizer ?? variant.network.recipe.optimizer) === 'sgd' ? sgdOf(this.generator, config) : undefined;
      const example = (crops: Crops) => exampleOf(images, crops);
      return new ContentTraining(this.generator, { ...adam, content, optimizer, example, supervisionSteps });
    }
    const weight = adversarial === undefined ? {} : { adversarial };
    return new SrganTraining(this.generator, this.discriminator, {
      ...adam,
      content,
      discriminatorRate: dLr / lr,
      ...weight,
    });
  }

  /** The generator to evaluate and to show. */
  get evaluated(): NetworkModule {
    return this.scored ?? this.generator;
  }

  /** Copies to the evaluated generator what is not averaged: running statistics, and without `--ema` all weights. */
  async updateEvaluated({ ema }: TrainConfig): Promise<void> {
    if (!this.scored) return;
    const state = await this.generator.stateDict();
    for (const [name, variable] of this.scored.namedVariables())
      if (ema === 0 || !variable.requiresGrad) variable.write(Float32Array.from(state.get(name)!.data));
  }

  /** One line that says how the VGG loss is computed; undefined if there is none. */
  explanation(config: TrainConfig): string | undefined {
    const factors = this.#loss && vggFactors(variantOfConfig(config), this.#loss.vgg, config);
    return factors && describeVggTerm(factors, this.#loss.vgg);
  }

  /** Frees their memory. */
  dispose(): void {
    for (const net of [this.generator, this.discriminator, this.scored, this.vgg]) net?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Creates the networks of a new run, and completes the configuration from its files: channels and blocks from `initial`
 * weights, the loss network's SHA-256.
 * @param onNote told if names in the initial weights have prefixes of wrappers.
 * @throws ConfigError if the configuration contradicts a file; whatever decoding a file throws.
 */
export async function firstNetworks(
  config: TrainConfig,
  initial: Uint8Array | undefined,
  onNote?: (note: string) => void,
): Promise<{ readonly networks: Networks; readonly config: TrainConfig }> {
  const { seed, icnr } = config;
  const { network } = variantOfConfig(config);
  const keys = fieldOptionsOf(network);
  return await disposingOnFailure(async own => {
    const given = Object.fromEntries(keys.map(key => [key, config[key]]).filter(([, value]) => value !== undefined));
    const generator = own(
      initial ? decodeModel(initial, config.init, { onNote }) : created(network, given, { seed, icnr }),
    );
    if (generator.network !== network)
      throw new ConfigError(`--init: expected ${network.label}, got ${generator.network.label}`, 'init');
    for (const key of keys)
      if (config[key] !== undefined && config[key] !== generator.config[key])
        throw new ConfigError(
          `--${key}: expected ${generator.config[key]} as in --init ${forShell(String(config.init))}, got ${config[key]}; omit the option`,
          key,
        );
    const loss = await openLossNetwork(config);
    own(loss?.vgg);
    const scored = own(isEvaluatedApart(config) ? await copyOf(generator) : undefined);
    return {
      networks: new Networks({ generator, discriminator: newDiscriminator(config), scored, loss }),
      config: {
        ...config,
        ...Object.fromEntries(keys.map(key => [key, generator.config[key]])),
        ...(loss && { vggSha256: loss.sha256 }),
      },
    };
  });
}

/** The networks of a checkpoint's files. @throws CheckpointError if a file is missing or damaged. */
export async function restoredNetworks(
  config: TrainConfig,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Promise<Networks> {
  return await disposingOnFailure(async own => {
    const generator = own(restoreGenerator(files, folder));
    const loss = await openLossNetwork(config);
    own(loss?.vgg);
    const discriminator = own(variantOfConfig(config).adversarial ? restoreDiscriminator(files, folder) : undefined);
    const scored = isEvaluatedApart(config) ? restoreScored(files, folder) : undefined;
    return new Networks({ generator, discriminator, scored, loss });
  });
}

/** Runs `work`, and disposes of the modules that it passed to `own` if it throws. */
async function disposingOnFailure<R>(
  work: (own: <M extends Module | undefined>(net: M) => M) => Promise<R>,
): Promise<R> {
  const owned: Module[] = [];
  try {
    return await work(net => {
      if (net) owned.push(net);
      return net;
    });
  } catch (error) {
    for (const net of owned) net.dispose();
    throw error;
  }
}

/** Whether the evaluated generator differs from the one in training. */
const isEvaluatedApart = ({ ema, recalibrate }: TrainConfig): boolean => ema > 0 || recalibrate > 0;

async function copyOf(net: NetworkModule): Promise<NetworkModule> {
  const state = await net.stateDict();
  return net.network.build(net.config).loadStateDict(state);
}

/** The options that a configuration has. */
const given = <K extends keyof TrainConfig>(config: TrainConfig, keys: readonly K[]) =>
  Object.fromEntries(keys.filter(key => config[key] !== undefined).map(key => [key, config[key]])) as {
    [P in K]?: NonNullable<TrainConfig[P]>;
  };

/** SGD as configured. The last convolution may learn at another rate. */
function sgdOf(net: NetworkModule, config: TrainConfig) {
  const { lr, clipNorm, lastRate = 1 } = config;
  const names = net.namedParameters().map(([name]) => name);
  const last = names.at(-1)!.replace(/[^.]+$/, '');
  const factors = names.map(name => (name.startsWith(last) ? lastRate : 1));
  const { momentum = 0.9, weightDecay = 0, clipValue: theta = 0 } = config;
  const options = { lr, clipNorm, factors, momentum, weightDecay, theta };
  return (parameters: readonly Variable[]) => new SGD(parameters, options);
}

/** Its input size is the crop size. */
function newDiscriminator(config: TrainConfig): NetworkModule | undefined {
  if (!variantOfConfig(config).adversarial) return undefined;
  const { discriminatorChannels: channels, discriminatorHidden: hidden, crop: size, seed } = config;
  return discriminator({ ...(channels && { channels }), ...(hidden && { hidden }), size, seed });
}
