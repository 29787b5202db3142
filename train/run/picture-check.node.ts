/** Checks that a resumed run has the same pictures, and that it is evaluated on other pictures than it is trained on. */

import { forShell } from '../../common/text.ts';
import type { TrainConfig } from '../config/config.ts';
import { ConfigError, PictureSourceError } from '../errors.ts';
import type { EvaluationSet } from '../pictures/evaluation-sets.node.ts';
import { differenceOf, filesOf, identitiesOf } from '../pictures/identity.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import type { PictureRecord } from '../run-folder/picture-record.node.ts';

/** The identities of all pictures of a run. */
export function recordOf(pictures: readonly TrainingPicture[], sets: readonly EvaluationSet[]): PictureRecord {
  return {
    training: identitiesOf(pictures),
    evaluation: sets.map(({ data, pictures }) => ({ data, pictures: identitiesOf(pictures) })),
  };
}

/** The pictures of a run that is resumed from a checkpoint. */
export interface ResumedPictures {
  /** Configurations of its last session and of this one. */
  readonly stored: TrainConfig;
  readonly config: TrainConfig;
  /** Record in its folder; undefined if the run was started by a version that did not record pictures. */
  readonly before: PictureRecord | undefined;
  readonly now: PictureRecord;
}

/**
 * Checks the pictures. Returns notes about what cannot be checked, and about evaluation sets that have changed.
 * @throws ConfigError if training pictures differ, saying which: the run would continue with other crops.
 */
export function checkPictures({ stored, config, before, now }: ResumedPictures): string[] {
  const otherRun = `start another run from its weights with --init ${forShell(config.out)} --out NEW`;
  if (!before) {
    if (JSON.stringify(stored.data) !== JSON.stringify(config.data))
      throw new ConfigError(
        `--data: cannot check whether these are the pictures of this run, because it did not record them: omit it, or ${otherRun}`,
        'data',
      );
    if (filesOf(now.training).length === 0) return [];
    return ['note: this run did not record its pictures; changes to them will be detected from now on'];
  }
  const difference = differenceOf(before.training, now.training);
  if (difference !== undefined)
    throw new ConfigError(
      `--data: the pictures differ from those that this run was started with: ${difference}; restore them, pass their ` +
        `new folder with --resume --data DIR, or ${otherRun}`,
      'data',
    );
  return before.evaluation.flatMap(({ data, pictures }) => {
    const same = now.evaluation.find(set => set.data === data);
    const changed = same && differenceOf(pictures, same.pictures);
    return changed === undefined
      ? []
      : [
          `note: --eval ${data}: the pictures have changed: ${changed}; earlier scores cannot be compared with new ones`,
        ];
  });
}

/** Adds advice to an error about a folder that a resumed run cannot find. */
export function withResumeAdvice(error: unknown, config: TrainConfig): unknown {
  if (!(error instanceof PictureSourceError)) return error;
  const { source } = error;
  const problem = error.message.slice(source.length + 2);
  const advice = config.data.includes(source)
    ? 'if the pictures were moved, pass their new folder with --resume --data DIR'
    : 'pass another set with --resume --eval DIR';
  return new PictureSourceError(source, `${problem}; ${advice}`, { cause: error });
}

/** A warning for each evaluation set that contains training pictures. */
export function overlapWarnings(pictures: readonly TrainingPicture[], sets: readonly EvaluationSet[]): string[] {
  const trained = new Set(filesOf(identitiesOf(pictures)).map(({ sha256 }) => sha256));
  return sets.flatMap(({ data, pictures }) => {
    // The first file is the original.
    const both = pictures.filter(({ files }) => files?.[0] !== undefined && trained.has(files[0].sha256));
    if (both.length === 0) return [];
    const which = both.length === 1 ? both[0].name : `${both[0].name} and ${both.length - 1} more`;
    return [
      `warning: --eval ${data}: ${both.length} of ${pictures.length} pictures are also training pictures (${which}); ` +
        'their scores say little about other pictures',
    ];
  });
}
