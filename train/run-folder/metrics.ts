/** What a run measures on its way. */

import * as z from 'zod';
import type { TextureFigures } from '../../eval/evaluate.ts';
import type { Scores } from '../../eval/protocols.ts';

/** The training as of `step` updates. */
export interface StepEntry {
  readonly step: number;
  /**
   * What the generator is trained to make small: the mean over the updates since the entry before that were not skipped,
   * NaN where all were.
   */
  readonly loss: number;
  /** Whatever else the training reports, by name (mse, l1, vgg54, tv, adversarial, discriminator, dReal, dFake): means, too. */
  readonly terms?: Readonly<Record<string, number>>;
  readonly lr: number;
  /** Updates since the entry before that were skipped because they were not finite; left out where none were. */
  readonly skipped?: number;
  /** High-resolution crops a second since the entry before. */
  readonly imagesPerSecond: number;
  /** Seconds of training since update 0, pauses between a stop and a resume left out. */
  readonly seconds: number;
  /** How many of these `seconds` the GPU had nothing to do because its next crops were not ready. */
  readonly waitedForDataSeconds?: number;
  /**
   * Where the run was stopped between two entries: what it had summed up. A resumed run takes this entry away and goes on
   * with the sums, so that its log is that of an unbroken run.
   */
  readonly unfinished?: UnfinishedEntry;
}

/** Sums over the updates since the entry before, by name, `loss` among them. */
export interface UnfinishedEntry {
  /** Those that were not skipped. */
  readonly updates: number;
  readonly sums: Readonly<Record<string, number>>;
}

/**
 * The network scored after `step` updates: means over the pictures of the evaluation set `data`. Figures of texture are
 * there as far as they were computed.
 */
export interface EvaluationEntry {
  readonly step: number;
  readonly evaluation: Scores & TextureFigures & { readonly data: string };
}

export type MetricsEntry = StepEntry | EvaluationEntry;

export function isEvaluation(entry: MetricsEntry): entry is EvaluationEntry {
  return 'evaluation' in entry;
}

/** JSON has no NaN and no infinities: they are written as null, and read as NaN. */
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
