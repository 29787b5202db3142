/** The content of a report, and figures derived from it. */

import { type Figures, meanFigures } from '../../eval/evaluate.ts';
import { completed } from '../../models/network.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { fieldOptionsOf } from '../config/options.ts';
import type { RecordedEnvironment } from '../run-folder/environment.ts';
import { isEvaluation, type MetricsEntry, type StepEntry } from '../run-folder/metrics.ts';

/** The scores of each method on a picture. */
export interface ReportImage {
  /** The picture's name. */
  readonly name: string;
  /** Scores of bicubic interpolation. */
  readonly bicubic: Figures;
  /** Scores of the network that the training started from, if it is compared. */
  readonly initial?: Figures | undefined;
  /** Scores of the trained network. */
  readonly model: Figures;
}

/** The scores on an evaluation set. */
export interface ReportScores {
  /** Name of the set as in the log, so that bicubic's line appears in the chart of the same set. */
  readonly data: string;
  /** One for each picture. */
  readonly images: readonly ReportImage[];
}

/** A picture to show, for instance a comparison of LR, bicubic, SRResNet and original. */
export interface ReportPicture {
  readonly title: string;
  readonly caption?: string;
  /** A PNG file. */
  readonly png: Uint8Array;
}

export interface ReportContent {
  readonly config: TrainConfig;
  readonly environment: RecordedEnvironment;
  readonly metrics: readonly MetricsEntry[];
  /** Empty if the run is not evaluated. */
  readonly scores: readonly ReportScores[];
  readonly pictures: readonly ReportPicture[];
  /** The command line that repeats the run. */
  readonly command: string;
  /** One line that describes the VGG loss, if there is one. */
  readonly loss?: string | undefined;
  /** Default: "SRResNet, 16 blocks of 64 channels". */
  readonly title?: string;
}

/** "16 blocks of 64 channels". */
export function networkSize(config: TrainConfig): string {
  const { network } = variantOfConfig(config);
  const sizes = fieldOptionsOf(network).map(key => [key, config[key]]);
  return network.describe(completed(network, Object.fromEntries(sizes)));
}

/** Mean scores over the pictures of a set. */
export function setMeans({ images }: ReportScores): ReportImage {
  const initial = images.flatMap(image => image.initial ?? []);
  return {
    name: 'mean',
    bicubic: meanFigures(images.map(({ bicubic }) => bicubic)),
    ...(initial.length === images.length && { initial: meanFigures(initial) }),
    model: meanFigures(images.map(({ model }) => model)),
  };
}

/** The training entries of a log, without evaluations. */
export function stepEntries(metrics: readonly MetricsEntry[]): StepEntry[] {
  return metrics.filter((entry): entry is StepEntry => !isEvaluation(entry));
}

/** Figures of a run as a whole. */
export interface RunSummary {
  /** Number of updates. */
  readonly steps: number;
  readonly seconds: number;
  /** Mean of the last twentieth of the logged losses, without entries whose updates were all skipped. */
  readonly loss: number;
  /** Number of skipped (non-finite) updates. */
  readonly skipped: number;
  /** HR crops per second over the whole run. */
  readonly imagesPerSecond: number;
  readonly waitedForDataSeconds: number | undefined;
}

/** Summarizes a run; undefined if it logged nothing. */
export function summaryOf(content: Pick<ReportContent, 'config' | 'metrics'>): RunSummary | undefined {
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
