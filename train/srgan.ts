/** SRGAN's training method: equations 2, 3 and 6 of Ledig et al. (2017), alternating one update of D and one of G (k = 1, §3.2). */
import { add, grad, mean, mul, sigmoid } from '../kernels/index.ts';
import type { Module } from '../nn/module.ts';
import { Adam, type AdamOptions } from '../nn/optim/adam.ts';
import { adversarialLoss, type ContentTerm, discriminatorLoss } from './loss-terms.ts';
import { type Crops, meanOf, type Recording, type Trained, type Training, weightedSum } from './training.ts';
import { ADVERSARIAL_WEIGHT } from './variants.ts';

/** Options of {@link SrganTraining}. */
export interface SrganOptions extends AdamOptions {
  /** Terms of l_X in equation 3, e.g. `[vggTerm(vgg, { i: 5, j: 4 })]` for SRGAN. */
  readonly content: readonly ContentTerm[];
  /** Weight of the adversarial loss in equation 3. Default: 10⁻³. */
  readonly adversarial?: number;
  /** Ratio of the discriminator's learning rate to the generator's, throughout the schedule. Default: 1. */
  readonly discriminatorRate?: number;
}

/**
 * Updates D, then G. The generator runs forward once: D learns from its output, then G from the updated D. Batch norm is in
 * training mode in both. Real and generated crops are separate batches of D.
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
    const trained = (net: Module) => ({ net, optimizer: new Adam(net.parameters(), options) });
    this.trained = { generator: trained(generator), discriminator: trained(discriminator) };
    this.#content = content;
    this.#adversarial = adversarial;
    this.#discriminatorRate = discriminatorRate;
    this.terms = ['loss', ...content.map(({ name }) => name), 'adversarial', 'discriminator', 'dReal', 'dFake'];
  }

  record(batches: readonly Crops[], { rate, failed }: Recording) {
    const { net: G, optimizer: adamG } = this.trained.generator;
    const { net: D, optimizer: adamD } = this.trained.discriminator;
    const pairs = batches.map(({ lr, hr }) => ({ sr: G.forward(lr), hr }));

    // Equation 2: D maximises log D(I^HR) + log(1 − D(G(I^LR))).
    const ofD = meanOf(
      pairs.map(({ sr, hr }) => {
        const [real, fake] = [D.forward(hr), D.forward(sr)];
        const loss = discriminatorLoss(real, fake);
        return { terms: [loss, mean(sigmoid(real)), mean(sigmoid(fake))], gradients: grad(loss, D.parameters()) };
      }),
    );
    // Recorded before G's gradients can be checked. If they are not finite, the gate undoes this update, too.
    const ratio = this.#discriminatorRate;
    adamD.update(ofD.gradients, { lr: ratio === 1 ? rate : mul(rate, ratio) });

    // Equation 3: l^SR = l_X + 10⁻³ · l_Gen.
    const ofG = meanOf(
      pairs.map(({ sr, hr }) => {
        const content = this.#content.map(({ loss }) => loss(sr, hr));
        const adversarial = adversarialLoss(D.forward(sr));
        const loss = add(weightedSum(this.#content, content), mul(adversarial, this.#adversarial));
        return { terms: [loss, ...content, adversarial], gradients: grad(loss, G.parameters()) };
      }),
    );
    const losses = { generator: ofG.terms[0], discriminator: ofD.terms[0] };
    const gradients = { generator: ofG.gradients, discriminator: ofD.gradients };
    adamG.update(ofG.gradients, { lr: rate, skip: failed({ losses, gradients }) });

    return [...ofG.terms, ...ofD.terms];
  }

  /** Frees the optimizers' memory. The networks stay. */
  dispose(): void {
    for (const { optimizer } of Object.values(this.trained)) optimizer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
