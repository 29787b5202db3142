/** Whether a run that is resumed still has the pictures that it was begun with, and is scored on others. */
import type { TrainConfig } from '../config/config.ts';
import { ConfigError, PictureSourceError } from '../errors.ts';
import type { EvaluationSet } from '../pictures/evaluation-sets.node.ts';
import { differenceOf, filesOf, identitiesOf } from '../pictures/identity.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import { forShell } from '../readable.ts';
import type { PictureRecord } from '../run-folder/picture-record.node.ts';

/** The identities of all pictures of a run. */
export function recordOf(pictures: readonly TrainingPicture[], sets: readonly EvaluationSet[]): PictureRecord {
  return {
    training: identitiesOf(pictures),
    evaluation: sets.map(({ data, pictures }) => ({ data, pictures: identitiesOf(pictures) })),
  };
}

/** A run that is resumed from a checkpoint. */
export interface ResumedPictures {
  /** The configuration of its last session, and the present one. */
  readonly stored: TrainConfig;
  readonly config: TrainConfig;
  /** What its folder says; undefined for runs that were begun before pictures were recorded. */
  readonly before: PictureRecord | undefined;
  readonly now: PictureRecord;
}

/**
 * Lines about what cannot be checked, and about sets whose scores no longer compare.
 * @throws ConfigError where the run would go on with other crops than unbroken, saying which pictures differ.
 */
export function checkPictures({ stored, config, before, now }: ResumedPictures): string[] {
  const goOn = `start another run from its weights: --init ${forShell(config.out)} --out NEW`;
  if (!before) {
    if (JSON.stringify(stored.data) !== JSON.stringify(config.data))
      throw new ConfigError(
        `--data: this run did not record its pictures, so whether these are the same cannot be checked: leave it out, or ${goOn}`,
        'data',
      );
    if (filesOf(now.training).length === 0) return [];
    return ['note: this run did not record its pictures: whether they are still the same is checked from now on'];
  }
  const difference = differenceOf(before.training, now.training);
  if (difference !== undefined)
    throw new ConfigError(
      `--data: not the pictures that this run was begun with: ${difference}; put them back, say where they lie now ` +
        `(--resume --data DIR), or ${goOn}`,
      'data',
    );
  return before.evaluation.flatMap(({ data, pictures }) => {
    const same = now.evaluation.find(set => set.data === data);
    const changed = same && differenceOf(pictures, same.pictures);
    return changed === undefined
      ? []
      : [`note: --eval ${data}: not the pictures of before: ${changed}; scores before and after do not compare`];
  });
}

/** An error about a folder that a resumed run cannot find, with what to do. */
export function withResumeAdvice(error: unknown, config: TrainConfig): unknown {
  if (!(error instanceof PictureSourceError)) return error;
  const { source } = error;
  const problem = error.message.slice(source.length + 2);
  const advice = config.data.includes(source)
    ? 'if the pictures were moved, --resume --data DIR says where they lie now'
    : '--resume --eval DIR says what to score on now';
  return new PictureSourceError(source, `${problem}; ${advice}`, { cause: error });
}

/** A warning for each set to score on that holds pictures which are trained on, too. */
export function overlapWarnings(pictures: readonly TrainingPicture[], sets: readonly EvaluationSet[]): string[] {
  const trained = new Set(filesOf(identitiesOf(pictures)).map(({ sha256 }) => sha256));
  return sets.flatMap(({ data, pictures }) => {
    // The first file is the original.
    const both = pictures.filter(({ files }) => files?.[0] !== undefined && trained.has(files[0].sha256));
    if (both.length === 0) return [];
    const which = both.length === 1 ? both[0].name : `${both[0].name} and ${both.length - 1} more`;
    return [
      `warning: --eval ${data}: ${both.length} of ${pictures.length} pictures are trained on, too (${which}); scores ` +
        'on them say little about other pictures',
    ];
  });
}
