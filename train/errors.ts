/** What can go wrong around a training run; each message is one line: what, given, expected, what to do. */

import { DaybreakError } from '../engine/basics/errors.ts';

/** Base of all failures of this room. */
export class TrainError extends DaybreakError {}

/** An option of a training run is unknown, missing or wrong. `option` is its name in TrainConfig, where one is at fault. */
export class ConfigError extends TrainError {
  readonly option: string | undefined;
  constructor(message: string, option?: string, options?: ErrorOptions) {
    super(message, options);
    this.option = option;
  }
}

/** A run folder cannot be made, taken over, read or written. The message begins with `path`. */
export class RunFolderError extends TrainError {
  readonly path: string;
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

/** A checkpoint is missing, cut off or altered. The message begins with `path`: the file at fault, or the folder. */
export class CheckpointError extends RunFolderError {}

/** A source of pictures gives none that can be trained on. `source` is the entry of `data` or `eval` at fault. */
export class PictureSourceError extends TrainError {
  readonly source: string;
  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(`${source}: ${problem}`, options);
    this.source = source;
  }
}

/** A file for what does not fit into memory cannot be made or written. The message begins with `folder`, where it lies. */
export class ScratchFileError extends TrainError {
  readonly folder: string;
  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super(`${folder}: ${problem}`, options);
    this.folder = folder;
  }
}

/** An update needs more than the adapter allows or has memory for; the message says which options make it smaller. */
export class UpdateSizeError extends TrainError {}

/** A worker thread died. */
export class WorkerError extends TrainError {}

/** What NonFiniteError tells. */
export interface NonFinite {
  /** The last of the updates, counted from 1. */
  readonly step: number;
  /** How many they were. */
  readonly inRow: number;
  /** What was not finite in the last. */
  readonly found: string;
  /** The first tensor of the first of them that was not finite. */
  readonly first: string;
}

/** Losses, gradients or running statistics of too many updates in a row were not finite numbers; none of them was kept. */
export class NonFiniteError extends TrainError implements NonFinite {
  readonly step: number;
  readonly inRow: number;
  readonly found: string;
  readonly first: string;
  /** `advice`: what to do, at the end of the message. */
  constructor(
    { step, inRow, found, first }: NonFinite,
    { advice, ...options }: ErrorOptions & { advice?: string } = {},
  ) {
    const which =
      inRow === 1
        ? `update ${step} was not finite (${found})`
        : `updates ${step - inRow + 1} to ${step} were not finite (the last: ${found})`;
    const end = advice === undefined ? '' : `. ${advice}`;
    super(`${which}; the state before is kept; first: ${first}${end}`, options);
    this.step = step;
    this.inRow = inRow;
    this.found = found;
    this.first = first;
  }

  /** The same with advice. */
  advised(advice: string): NonFiniteError {
    return new NonFiniteError(this, { advice, cause: this });
  }
}
