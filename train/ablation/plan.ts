/** The networks of an ablation: SRResNets that differ in their number of blocks and their long skip (figure 7 of Ledig et al.). */

import { parseConfig, type TrainConfig } from '../config/config.ts';
import { infoOf, KEYS } from '../config/options.ts';

/** One network of an ablation. */
export interface AblationCase {
  readonly blocks: number;
  readonly longSkip: 'add' | 'none';
  readonly config: TrainConfig;
}

/** A trained and scored network. PSNR in dB and SSIM are means over the first evaluation set, by the protocol matlab. */
export interface AblationRow {
  readonly blocks: number;
  readonly longSkip: 'add' | 'none';
  /** Trainable parameters. */
  readonly parameters: number;
  readonly psnr: number;
  readonly ssim: number;
  /** Bicubic's PSNR on the same set. */
  readonly bicubic: number;
  /** The model file, relative to the ablation's folder. */
  readonly model: string;
  /** The configuration that it was trained with, as text. */
  readonly identity: string;
}

/**
 * Options that suit a CPU: the paper trains networks of 64 channels for a million updates. Options of the command line
 * override them.
 */
export const ABLATION_DEFAULTS = {
  ...{ channels: 16, batch: 8, crop: 48, steps: 1500 },
  ...{ lr: 2e-3, lrSchedule: 'cosine', icnr: true, flips: true, rotations: true },
  ...{ evalEvery: 0, sampleEvery: 0, saveEvery: 250, keep: 1 },
} as const;

/** The run folder of a case within the ablation's folder. */
export const runName = ({ blocks, longSkip }: Pick<AblationCase, 'blocks' | 'longSkip'>): string =>
  `blocks-${blocks}${longSkip === 'none' ? '-no-skip' : ''}`;

/**
 * The cases, from few blocks to many, with the long skip and without it.
 * @param given options of `daybreak train srresnet` besides blocks and longSkip; `out` is the ablation's folder.
 * @param pathOf joins the ablation's folder and the name of a run.
 * @throws ConfigError for an invalid option.
 */
export function ablationCases(
  blocks: readonly number[],
  given: Readonly<Record<string, unknown>>,
  pathOf: (run: string) => string,
): readonly AblationCase[] {
  const counts = [...new Set(blocks)].sort((a, b) => a - b);
  return counts.flatMap(blocks =>
    (['add', 'none'] as const).map(longSkip => {
      const out = pathOf(runName({ blocks, longSkip }));
      const options = { ...ABLATION_DEFAULTS, ...given, model: 'srresnet', init: 'none', blocks, longSkip, out };
      return { blocks, longSkip, config: parseConfig(options) };
    }),
  );
}

/** What a case's result depends on, as text: options that a resumed run may change do not belong to it. */
export const identityOf = ({ config }: AblationCase): string =>
  JSON.stringify(
    Object.fromEntries(KEYS.filter(key => key === 'eval' || !infoOf(key).mayChange).map(key => [key, config[key]])),
  );
