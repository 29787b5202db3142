/** SRGAN's training: equations 2, 3 and 6 of Ledig et al. (2017), one update of D and one of G in turns (k = 1, §3.2). */
import { add, grad, mean, mul, sigmoid } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import { Adam, type AdamOptions } from './adam.ts';
import { adversarialLoss, type ContentTerm, discriminatorLoss } from './loss-terms.ts';
import { type Crops, meanOf, type Recording, type Trained, type Training, weighted } from './training.ts';
import { ADVERSARIAL_WEIGHT } from './variants.ts';

export interface SrganOptions extends AdamOptions {
  /** Terms of l_X in equation 3, e.g. `[vggTerm(vgg, { i: 5, j: 4 })]` for SRGAN. */
  readonly content: readonly ContentTerm[];
  /** What the adversarial loss is multiplied by in equation 3; default 10⁻³. */
  readonly adversarial?: number;
  /** The discriminator's learning rate over the generator's, whatever the schedule says; default 1. */
  readonly discriminatorRate?: number;
}

/**
 * G and D in turns. The generator runs forward once: D learns from its pictures, then G from the D that has learned.
 * Batch norm works in training mode in both; real and fake pictures are batches of their own.
 */
export class SrganTraining implements Training {
  readonly trained: { readonly generator: Trained; readonly discriminator: Trained };
  readonly terms: readonly string[];
  readonly #content: readonly ContentTerm[];
  readonly #adversarial: number;
  readonly #discriminatorRate: number;

  constructor(
    generator: Module,
    discriminator: Module,
    { content, adversarial = ADVERSARIAL_WEIGHT, discriminatorRate = 1, ...options }: SrganOptions,
  ) {
    const trained = (net: Module) => ({ net, adam: new Adam(net.parameters(), options) });
    this.trained = { generator: trained(generator), discriminator: trained(discriminator) };
    this.#content = content;
    this.#adversarial = adversarial;
    this.#discriminatorRate = discriminatorRate;
    this.terms = ['loss', ...content.map(({ name }) => name), 'adversarial', 'discriminator', 'dReal', 'dFake'];
  }

  record(batches: readonly Crops[], { rate, failed }: Recording) {
    const { net: G, adam: adamG } = this.trained.generator;
    const { net: D, adam: adamD } = this.trained.discriminator;
    const pictures = batches.map(({ lr, hr }) => ({ sr: G.forward(lr), hr }));

    // Equation 2: D maximises log D(I^HR) + log(1 − D(G(I^LR))).
    const ofD = meanOf(
      pictures.map(({ sr, hr }) => {
        const [real, fake] = [D.forward(hr), D.forward(sr)];
        const loss = discriminatorLoss(real, fake);
        return { terms: [loss, mean(sigmoid(real)), mean(sigmoid(fake))], gradients: grad(loss, D.parameters()) };
      }),
    );
    // Made before it is known whether G's is finite: what it replaces is kept until then, and comes back if not.
    const ratio = this.#discriminatorRate;
    adamD.update(ofD.gradients, { lr: ratio === 1 ? rate : mul(rate, ratio) });

    // Equation 3: l^SR = l_X + 10⁻³ · l_Gen.
    const ofG = meanOf(
      pictures.map(({ sr, hr }) => {
        const parts = this.#content.map(({ loss }) => loss(sr, hr));
        const adversarial = adversarialLoss(D.forward(sr));
        const loss = add(weighted(this.#content, parts), mul(adversarial, this.#adversarial));
        return { terms: [loss, ...parts, adversarial], gradients: grad(loss, G.parameters()) };
      }),
    );
    const losses = { generator: ofG.terms[0], discriminator: ofD.terms[0] };
    const gradients = { generator: ofG.gradients, discriminator: ofD.gradients };
    adamG.update(ofG.gradients, { lr: rate, skip: failed({ losses, gradients }) });

    return [...ofG.terms, ...ofD.terms];
  }

  /** Gives the optimizers' memory back; the networks stay. */
  dispose(): void {
    for (const { adam } of Object.values(this.trained)) adam.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
