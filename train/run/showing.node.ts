/** What a run shows of its network: samples on its way, and at its end scores, comparison pictures and the report. */
import { ResultError } from '../../eval/errors.ts';
import type { Evaluation, Measure } from '../../eval/evaluate.ts';
import { interpolation, type Method, network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { SRResNetUpscaler } from '../../models/upscaler.ts';
import { variantOfConfig } from '../config/config.ts';
import type { ReportPicture, ReportScores } from '../report/report-content.ts';
import { type ComparedRun, INITIAL } from '../report/run-comparison.ts';
import { comparisons, developmentStrip, reportRun } from '../report/run-report.node.ts';
import { writeSample } from '../report/samples.node.ts';
import type { Scoring } from '../report/scoring.ts';
import { selectionOf } from '../report/selection.ts';
import { selectingMeasure, textureMeasure } from '../report/texture-measure.ts';
import type { RunParts } from './parts.node.ts';
import type { SessionOptions } from './session-options.node.ts';

export class Showing {
  readonly #parts: RunParts;
  readonly #options: SessionOptions;
  /** The network in training. */
  readonly #method: Method;

  constructor(parts: RunParts, options: SessionOptions, method: Method) {
    this.#parts = parts;
    this.#options = options;
    this.#method = method;
  }

  /**
   * What `work` gives; undefined, and a line that begins with `without`, where the network makes no pictures. Weights that
   * broke end a run by its updates, which say more.
   */
  async attempt<T>(without: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ResultError)) throw error;
      this.#options.onLine?.(`${without} after update ${this.#parts.trainer.step}: ${error.message}`);
      return undefined;
    }
  }

  /** How far the network is, as a picture. */
  async sample(): Promise<void> {
    const { folder, trainer } = this.#parts;
    await this.attempt('no sample', () => writeSample(folder, this.#comparedRun(), trainer.step));
  }

  /** What is measured at the end beside PSNR and SSIM. An SRResNet is judged by PSNR, which it was trained for. */
  get measure(): Measure | undefined {
    const { config, networks } = this.#parts;
    const { mse, adversarial, vgg } = variantOfConfig(config);
    return mse && !adversarial ? undefined : textureMeasure(networks.vgg, vgg);
  }

  /** What is measured on the way beside PSNR and SSIM: what the best is chosen by. */
  get selectingMeasure(): Measure | undefined {
    const { config, networks } = this.#parts;
    const variant = variantOfConfig(config);
    return selectionOf(variant).by === 'psnr' ? undefined : selectingMeasure(networks.vgg, variant.vgg);
  }

  /**
   * Writes comparison pictures and the report. `results`: the finished network's, set by set, which are scored beside
   * bicubic and what it began as.
   */
  async report(scoring: Scoring, results: readonly Evaluation[] | undefined): Promise<ReportScores[]> {
    const { folder, config, networks, trainer } = this.#parts;
    using initial = await this.#initial();
    const scores = results ? await this.#compared(scoring, results, initial?.method) : [];
    const compared = this.#comparedRun(initial?.method);
    const { step } = trainer;
    const { command, signal } = this.#options;
    // Whoever stops a run does not wait for pictures: going on makes them.
    const pictures: ReportPicture[] = signal?.aborted
      ? []
      : [
          ...((await this.attempt('no comparison', () => comparisons(folder, compared, step))) ?? []),
          ...((await this.attempt('no development', () => developmentStrip(folder, compared, step))) ?? []),
        ];
    await reportRun(folder, { config, command, scores, pictures, loss: networks.explanation(config) });
    return scores;
  }

  /** Picture by picture. */
  async #compared(
    scoring: Scoring,
    results: readonly Evaluation[],
    initial: Method | undefined,
  ): Promise<ReportScores[]> {
    const { measure } = this;
    const bicubic = await scoring.all(interpolation('bicubic'), 'scoring bicubic on', measure);
    const scoredInitial = () => scoring.all(initial!, `scoring ${INITIAL} on`, measure);
    const before = initial && (await this.attempt(`no scores of ${INITIAL}`, scoredInitial));
    return this.#parts.sets.map(({ data }, i) => ({
      data,
      images: results[i].images.map((model, j) => ({
        name: model.name,
        bicubic: bicubic[i].images[j],
        ...(before && { initial: before[i].images[j] }),
        model,
      })),
    }));
  }

  /** The network that the run began with, where it is another's result: an SRResNet that goes on is its own. */
  async #initial(): Promise<(Disposable & { readonly method: Method }) | undefined> {
    const { folder, config } = this.#parts;
    const variant = variantOfConfig(config);
    const bytes = variant.mse && !variant.adversarial ? undefined : await folder.initialWeights();
    if (!bytes) return undefined;
    const net = decodeModel(bytes, config.init);
    const upscaler = new SRResNetUpscaler(net, INITIAL);
    return {
      method: network(upscaler),
      [Symbol.dispose]() {
        upscaler.dispose();
        net.dispose();
      },
    };
  }

  #comparedRun(initial?: Method): ComparedRun {
    const { config, sets, pictures } = this.#parts;
    return { config, sets, pictures, method: this.#method, initial };
  }
}
