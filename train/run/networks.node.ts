/** The networks of a run: as they begin, or as a checkpoint has them. */

import { forShell } from '../../common/text.ts';
import { type Discriminator, discriminator } from '../../models/discriminator.ts';
import { decodeModel } from '../../models/model-file.ts';
import type { Module } from '../../models/module.ts';
import { type SRResNet, srresnet } from '../../models/srresnet.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import { AveragedTraining } from '../averaged-training.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { contentOf, explained, vggFactors } from '../content.ts';
import { ContentTraining } from '../content-training.ts';
import { ConfigError } from '../errors.ts';
import { SrganTraining } from '../srgan.ts';
import type { Training } from '../training.ts';
import { type LossNetwork, openLossNetwork } from './loss-network.node.ts';
import { restoreDiscriminator, restoreGenerator, restoreScored, type TrainedNetworks } from './state.ts';

/** What is trained, and what it is compared by. */
export class Networks implements TrainedNetworks, Disposable {
  readonly generator: SRResNet;
  readonly discriminator: Discriminator | undefined;
  readonly scored: SRResNet | undefined;
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

  /** How they learn, by a configuration. */
  training(config: TrainConfig): Training {
    const training = this.#training(config);
    return this.scored && config.ema > 0
      ? new AveragedTraining(training, this.scored, config.ema, config.emaWarmup)
      : training;
  }

  #training(config: TrainConfig): Training {
    const variant = variantOfConfig(config);
    const content = contentOf(variant, this.vgg, config);
    const { adversarialWeight: adversarial, lr, dLr = lr, beta1, beta2, eps, clipNorm } = config;
    const adam = { lr, beta1, beta2, eps, clipNorm };
    if (!this.discriminator) return new ContentTraining(this.generator, { ...adam, content });
    const weight = adversarial === undefined ? {} : { adversarial };
    return new SrganTraining(this.generator, this.discriminator, {
      ...adam,
      content,
      discriminatorRate: dLr / lr,
      ...weight,
    });
  }

  /** The generator to score and to show. */
  get best(): SRResNet {
    return this.scored ?? this.generator;
  }

  /** Gives the generator that is scored what the one in training has: the running statistics, and weights not averaged. */
  async follow({ ema }: TrainConfig): Promise<void> {
    if (!this.scored) return;
    const state = await this.generator.stateDict();
    for (const [name, variable] of this.scored.namedVariables())
      if (ema === 0 || !variable.requiresGrad) variable.write(Float32Array.from(state.get(name)!.data));
  }

  /** What the VGG loss is computed from and divided by, in one line; undefined where there is none. */
  explanation(config: TrainConfig): string | undefined {
    const factors = this.#loss && vggFactors(variantOfConfig(config), this.#loss.vgg, config);
    return factors && explained(factors, this.#loss.vgg);
  }

  /** Gives their memory back. */
  dispose(): void {
    for (const net of [this.generator, this.discriminator, this.scored, this.vgg]) net?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * The networks before the first update, and the configuration with all that follows from its files: channels and blocks
 * of `initial` weights, the loss network's SHA-256.
 * @throws ConfigError where the configuration contradicts a file; what decoding a file throws.
 */
export async function firstNetworks(
  config: TrainConfig,
  initial: Uint8Array | undefined,
): Promise<{ readonly networks: Networks; readonly config: TrainConfig }> {
  const { seed } = config;
  const { channels, blocks } = config;
  const made = new Made();
  try {
    const generator = made.one(
      initial
        ? decodeModel(initial, config.init)
        : srresnet({ ...(channels && { channels }), ...(blocks && { blocks }), seed, icnr: config.icnr }),
    );
    for (const key of ['channels', 'blocks'] as const)
      if (config[key] !== undefined && config[key] !== generator.config[key])
        throw new ConfigError(
          `--${key}: given ${config[key]}, but --init ${forShell(String(config.init))} has ${generator.config[key]}; leave the option out`,
          key,
        );
    const loss = await openLossNetwork(config);
    made.one(loss?.vgg);
    const scored = made.one(isScoredApart(config) ? await copyOf(generator) : undefined);
    return {
      networks: new Networks({ generator, discriminator: freshDiscriminator(config), scored, loss }),
      config: {
        ...config,
        channels: generator.config.channels,
        blocks: generator.config.blocks,
        ...(loss && { vggSha256: loss.sha256 }),
      },
    };
  } catch (error) {
    made.dispose();
    throw error;
  }
}

/** The networks of a checkpoint's files. */
export async function restoredNetworks(
  config: TrainConfig,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Promise<Networks> {
  const made = new Made();
  try {
    const generator = made.one(restoreGenerator(files, folder));
    const loss = await openLossNetwork(config);
    made.one(loss?.vgg);
    const adversary = made.one(variantOfConfig(config).adversarial ? restoreDiscriminator(files, folder) : undefined);
    const scored = isScoredApart(config) ? restoreScored(files, folder) : undefined;
    return new Networks({ generator, discriminator: adversary, scored, loss });
  } catch (error) {
    made.dispose();
    throw error;
  }
}

/** Networks on their way to be a run's: what fails half-way gives back what was there. */
class Made {
  readonly #all: Module[] = [];

  one<M extends Module | undefined>(net: M): M {
    if (net) this.#all.push(net);
    return net;
  }

  dispose(): void {
    for (const net of this.#all) net.dispose();
  }
}

/** Whether what is scored is not the generator in training itself. */
const isScoredApart = ({ ema, recalibrate }: TrainConfig): boolean => ema > 0 || recalibrate > 0;

async function copyOf(net: SRResNet): Promise<SRResNet> {
  const state = await net.stateDict();
  return srresnet(net.config).loadStateDict(state);
}

/** The discriminator sees whole crops: its size is theirs. */
function freshDiscriminator(config: TrainConfig): Discriminator | undefined {
  if (!variantOfConfig(config).adversarial) return undefined;
  const { discriminatorChannels: channels, discriminatorHidden: hidden, crop: size, seed } = config;
  return discriminator({ ...(channels && { channels }), ...(hidden && { hidden }), size, seed });
}
