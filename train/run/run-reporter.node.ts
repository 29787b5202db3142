/** Sample pictures during a run, and comparison pictures and the report when it stops. */
import { ResultError } from '../../eval/errors.ts';
import type { Evaluation, Measure } from '../../eval/evaluate.ts';
import { interpolation, type Method, network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { variantOfConfig } from '../config/config.ts';
import type { ReportPicture, ReportScores } from '../report/report-content.ts';
import { type ComparedRun, INITIAL } from '../report/run-comparison.ts';
import { comparisons, developmentStrip, reportRun } from '../report/run-report.node.ts';
import { writeSample } from '../report/samples.node.ts';
import type { Scoring } from '../report/scoring.ts';
import { selectionOf } from '../report/selection.ts';
import { selectingMeasure, textureMeasure } from '../report/texture-measure.ts';
import type { OpenRun } from './open-run.node.ts';
import type { SessionOptions } from './session-options.node.ts';

export class RunReporter implements Disposable {
  /** The network in training, as a method to evaluate. */
  readonly method: Method;
  readonly #run: OpenRun;
  readonly #options: SessionOptions;
  readonly #upscaler: NetworkUpscaler;

  constructor(run: OpenRun, options: SessionOptions) {
    this.#run = run;
    this.#options = options;
    this.#upscaler = new NetworkUpscaler(run.networks.evaluated, variantOfConfig(run.config).label);
    this.method = network(this.#upscaler);
  }

  /**
   * Result of `work`. If the network's output is invalid, prints a line that begins with `missing` and returns undefined:
   * training goes on, and the updates themselves say what is wrong.
   */
  async attempt<T>(missing: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ResultError)) throw error;
      this.#options.onLine?.(`${missing} after update ${this.#run.trainer.step}: ${error.message}`);
      return undefined;
    }
  }

  /** Writes a sample picture of the network as it is. */
  async sample(): Promise<void> {
    const { folder, trainer } = this.#run;
    await this.attempt('no sample', () => writeSample(folder, this.#comparedRun(), trainer.step));
  }

  /** Metrics beside PSNR and SSIM at the end; none for an SRResNet, which is trained for PSNR. */
  get measure(): Measure | undefined {
    const { config, networks } = this.#run;
    const { mse, adversarial, vgg } = variantOfConfig(config);
    return mse && !adversarial ? undefined : textureMeasure(networks.vgg, vgg);
  }

  /** The metric during training that chooses the best checkpoint, if it is not PSNR. */
  get selectingMeasure(): Measure | undefined {
    const { config, networks } = this.#run;
    const variant = variantOfConfig(config);
    return selectionOf(variant).by === 'psnr' ? undefined : selectingMeasure(networks.vgg, variant.vgg);
  }

  /**
   * Writes comparison pictures and the report.
   * @param results the finished network's scores, set by set; compared with bicubic's and the initial network's.
   */
  async report(scoring: Scoring, results: readonly Evaluation[] | undefined): Promise<ReportScores[]> {
    const { folder, config, networks, trainer } = this.#run;
    using initial = await this.#initial();
    const scores = results ? await this.#compared(scoring, results, initial?.method) : [];
    const compared = this.#comparedRun(initial?.method);
    const { step } = trainer;
    const { command, signal } = this.#options;
    // An interrupted run stops without pictures; resuming it draws them.
    const pictures: ReportPicture[] = signal?.aborted
      ? []
      : [
          ...((await this.attempt('no comparison', () => comparisons(folder, compared, step))) ?? []),
          ...((await this.attempt('no development', () => developmentStrip(folder, compared, step))) ?? []),
        ];
    await reportRun(folder, { config, command, scores, pictures, loss: networks.explanation(config) });
    return scores;
  }

  /** Scores of the network, bicubic and the initial network for each picture. */
  async #compared(
    scoring: Scoring,
    results: readonly Evaluation[],
    initial: Method | undefined,
  ): Promise<ReportScores[]> {
    const { measure } = this;
    const bicubic = await scoring.all(interpolation('bicubic'), 'scoring bicubic on', measure);
    const scoredInitial = () => scoring.all(initial!, `scoring ${INITIAL} on`, measure);
    const before = initial && (await this.attempt(`no scores of ${INITIAL}`, scoredInitial));
    return this.#run.sets.map(({ data }, i) => ({
      data,
      images: results[i].images.map((model, j) => ({
        name: model.name,
        bicubic: bicubic[i].images[j],
        ...(before && { initial: before[i].images[j] }),
        model,
      })),
    }));
  }

  /** The network that the run started from; undefined for an SRResNet, where it is no result of its own. */
  async #initial(): Promise<(Disposable & { readonly method: Method }) | undefined> {
    const { folder, config } = this.#run;
    const variant = variantOfConfig(config);
    const bytes = variant.mse && !variant.adversarial ? undefined : await folder.initialWeights();
    if (!bytes) return undefined;
    const net = decodeModel(bytes, config.init);
    const upscaler = new NetworkUpscaler(net, INITIAL);
    return {
      method: network(upscaler),
      [Symbol.dispose]() {
        upscaler.dispose();
        net.dispose();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#upscaler.dispose();
  }

  #comparedRun(initial?: Method): ComparedRun {
    const { config, sets, pictures } = this.#run;
    return { config, sets, pictures, method: this.method, initial };
  }
}
