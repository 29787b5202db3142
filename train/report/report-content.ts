/** What a report tells, and the figures that follow from it. */

import { type Figures, meanFigures } from '../../eval/evaluate.ts';
import type { TrainConfig } from '../config/config.ts';
import type { RecordedEnvironment } from '../run-folder/environment.ts';
import { isEvaluation, type MetricsEntry, type StepEntry } from '../run-folder/metrics.ts';

/** One picture by every method. */
export interface ReportImage {
  readonly name: string;
  readonly bicubic: Figures;
  /** The network that the training began with, where it is compared. */
  readonly initial?: Figures | undefined;
  readonly model: Figures;
}

/** The finished network beside bicubic, and beside what it began as, on one evaluation set. */
export interface ReportScores {
  /** As in the log's evaluations, so that bicubic's line can be drawn beside the network's curve. */
  readonly data: string;
  readonly images: readonly ReportImage[];
}

/** A picture to show, for instance a comparison LR | bicubic | SRResNet | original. */
export interface ReportPicture {
  readonly title: string;
  readonly caption?: string;
  /** Bytes of a PNG file. */
  readonly png: Uint8Array;
}

export interface ReportContent {
  readonly config: TrainConfig;
  readonly environment: RecordedEnvironment;
  readonly metrics: readonly MetricsEntry[];
  /** Empty where the run is not evaluated. */
  readonly scores: readonly ReportScores[];
  readonly pictures: readonly ReportPicture[];
  /** The command line that trains this again. */
  readonly command: string;
  /** How the VGG loss is computed, in one line, where there is one. */
  readonly loss?: string | undefined;
  /** Default: "SRResNet, 16 blocks of 64 channels". */
  readonly title?: string;
}

/** Means over a set's pictures. */
export function setMeans({ images }: ReportScores): ReportImage {
  const initial = images.flatMap(image => image.initial ?? []);
  return {
    name: 'mean',
    bicubic: meanFigures(images.map(({ bicubic }) => bicubic)),
    ...(initial.length === images.length && { initial: meanFigures(initial) }),
    model: meanFigures(images.map(({ model }) => model)),
  };
}

/** The log's training entries, in order. */
export function stepEntries(metrics: readonly MetricsEntry[]): StepEntry[] {
  return metrics.filter((entry): entry is StepEntry => !isEvaluation(entry));
}

/** How far a run came; undefined where it logged nothing. */
export interface Progress {
  readonly steps: number;
  readonly seconds: number;
  /** Mean of the last twentieth of the logged losses, entries left out of which all updates were skipped. */
  readonly loss: number;
  /** Updates that were skipped because they were not finite. */
  readonly skipped: number;
  /** High-resolution crops a second over the whole run. */
  readonly imagesPerSecond: number;
  readonly waitedForDataSeconds: number | undefined;
}

export function progressOf(content: Pick<ReportContent, 'config' | 'metrics'>): Progress | undefined {
  const entries = stepEntries(content.metrics);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  const { batch, accumulate } = content.config;
  const losses = entries
    .slice(-Math.max(1, Math.round(entries.length / 20)))
    .flatMap(({ loss }) => (Number.isFinite(loss) ? [loss] : []));
  return {
    steps: last.step,
    seconds: last.seconds,
    loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    skipped: entries.reduce((sum, { skipped = 0 }) => sum + skipped, 0),
    imagesPerSecond: last.seconds > 0 ? (last.step * batch * accumulate) / last.seconds : last.imagesPerSecond,
    waitedForDataSeconds: last.waitedForDataSeconds,
  };
}
