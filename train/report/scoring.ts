/** Scores methods on the evaluation sets of a run, and logs the scores of its network. */
import { type Evaluation, evaluate, type Measure, type Pair } from '../../eval/evaluate.ts';
import type { Method } from '../../eval/methods.ts';
import { decimals } from '../../eval/protocols.ts';
import type { EvaluationEntry } from '../run-folder/metrics.ts';
import type { Selection } from './selection.ts';

/** An evaluation set, with its name in tables. */
export interface ScoredSet {
  readonly data: string;
  readonly pictures: readonly Pair[];
}

export interface ScoringOptions {
  readonly sets: readonly ScoredSet[];
  /** The network in training. */
  readonly method: Method;
  /** Chooses the best checkpoint, by the scores on the first set. */
  readonly selection: Selection;
  /** Evaluations that are already in the log; they are not logged again. */
  readonly logged: readonly EvaluationEntry[];
  readonly append: (entry: EvaluationEntry) => void;
  /** Checked before each picture and each tile. */
  readonly signal?: AbortSignal | undefined;
  readonly onPhase?: ((name: string, done: number, total: number) => void) | undefined;
  readonly onLine?: ((text: string) => void) | undefined;
}

export class Scoring {
  readonly #options: ScoringOptions;
  /** The figure for `selection`, by update and set; undefined if the log does not have it. */
  readonly #logged: Map<string, number | undefined>;

  constructor(options: ScoringOptions) {
    this.#options = options;
    this.#logged = new Map(
      options.logged.map(({ step, evaluation }) => [
        `${step} ${evaluation.data}`,
        options.selection.figureOf(evaluation),
      ]),
    );
  }

  /**
   * Whether the network must be scored after `step` updates: a set has not been scored, or the first set's score may be
   * better than `best`.
   */
  isDue(step: number, best: number | null): boolean {
    const { sets, selection } = this.#options;
    const keys = sets.map(({ data }) => `${step} ${data}`);
    if (keys.some(key => !this.#logged.has(key))) return true;
    if (keys[0] === undefined) return false;
    const first = this.#logged.get(keys[0]);
    return first === undefined || selection.isBetter(first, best);
  }

  /** Scores the network on all sets, and logs new scores. */
  async after(step: number, measure?: Measure): Promise<Evaluation[]> {
    const { append, onLine } = this.#options;
    const results = await this.all(this.#options.method, 'scoring', measure);
    for (const [i, { mean }] of results.entries()) {
      const { data } = this.#options.sets[i];
      if (!mean || this.#logged.has(`${step} ${data}`)) continue;
      const { psnr, ssim, psnr_paper, ssim_paper, texture, vgg_distance } = mean;
      this.#logged.set(`${step} ${data}`, this.#options.selection.figureOf(mean));
      append({
        step,
        evaluation: {
          ...{ data, psnr, ssim, psnr_paper, ssim_paper },
          ...(texture !== undefined && { texture }),
          ...(vgg_distance !== undefined && { vgg_distance }),
        },
      });
      onLine?.(`step ${step}: ${data} ${decimals(psnr, 2)} dB, SSIM ${ssim.toFixed(4)} (protocol matlab)`);
    }
    return results;
  }

  /** Scores a method on all sets. `verb`: for the progress display. */
  async all(method: Method, verb: string, measure?: Measure): Promise<Evaluation[]> {
    const { sets, signal, onPhase } = this.#options;
    const results: Evaluation[] = [];
    for (const { data, pictures } of sets) {
      onPhase?.(`${verb} ${data}`, 0, pictures.length);
      const onPicture = (_: unknown, index: number) => onPhase?.(`${verb} ${data}`, index + 1, pictures.length);
      results.push(await evaluate(method, pictures, { onPicture, measure, signal }));
    }
    return results;
  }
}
