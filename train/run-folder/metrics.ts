/** The metrics that a run logs. */

import * as z from 'zod';
import type { TextureFigures } from '../../eval/evaluate.ts';
import type { Scores } from '../../eval/protocols.ts';

/** Metrics of the training after `step` updates. */
export interface StepEntry {
  readonly step: number;
  /**
   * Loss of the generator: the mean over the updates since the previous entry, without skipped ones; NaN if all were
   * skipped.
   */
  readonly loss: number;
  /** Means of the other values, by name (mse, l1, vgg54, tv, adversarial, discriminator, dReal, dFake). */
  readonly terms?: Readonly<Record<string, number>>;
  readonly lr: number;
  /** Skipped (non-finite) updates since the previous entry; absent if there were none. */
  readonly skipped?: number;
  /** HR crops per second since the previous entry. */
  readonly imagesPerSecond: number;
  /** Seconds of training since update 0, without the pauses between a stop and a resume. */
  readonly seconds: number;
  /** How many of these `seconds` the GPU waited for crops. */
  readonly waitedForDataSeconds?: number;
  /**
   * Set if the run was stopped between two entries: its sums so far. A resumed run removes this entry and continues the
   * sums, so that its log is the same as without the stop.
   */
  readonly unfinished?: UnfinishedEntry;
}

/** Sums over the updates since the previous entry, by name, including `loss`. */
export interface UnfinishedEntry {
  /** Number of updates that were not skipped. */
  readonly updates: number;
  readonly sums: Readonly<Record<string, number>>;
}

/**
 * Scores after `step` updates: means over the pictures of the evaluation set `data`. Texture metrics are present if they
 * were computed.
 */
export interface EvaluationEntry {
  readonly step: number;
  readonly evaluation: Scores & TextureFigures & { readonly data: string };
}

export type MetricsEntry = StepEntry | EvaluationEntry;

export function isEvaluation(entry: MetricsEntry): entry is EvaluationEntry {
  return 'evaluation' in entry;
}

/** JSON has no NaN and infinity: they are written as null and read as NaN. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);
const whole = z.number().int().min(0);
/** One line of metrics.jsonl. */
export const MetricsEntrySchema: z.ZodType<MetricsEntry> = z.union([
  z.object({
    step: whole,
    evaluation: z.object({
      data: z.string(),
      psnr: number,
      ssim: number,
      psnr_paper: number,
      ssim_paper: number,
      texture: number.exactOptional(),
      vgg_distance: number.exactOptional(),
    }),
  }),
  z.object({
    step: whole,
    loss: number,
    terms: z.record(z.string(), number).exactOptional(),
    lr: number,
    skipped: z.number().int().min(1).exactOptional(),
    imagesPerSecond: number,
    seconds: number,
    waitedForDataSeconds: number.exactOptional(),
    unfinished: z.object({ updates: whole, sums: z.record(z.string(), number) }).exactOptional(),
  }),
]);
