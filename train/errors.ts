/** Errors of training runs. Each message is one line: what is wrong, what was expected and given, what to do. */

import { DaybreakError } from '../engine/basics/errors.ts';

/** Base class of the errors of `train/`. */
export class TrainError extends DaybreakError {
  static override readonly name: string = 'TrainError';
  static override readonly code: string = 'DAYBREAK_TRAIN';
}

/** An option is unknown, missing or invalid. `option` is its name in TrainConfig, if the error is about one option. */
export class ConfigError extends TrainError {
  static override readonly name: string = 'ConfigError';
  static override readonly code: string = 'DAYBREAK_CONFIG';
  /** Name of the option, if the error is about one. */
  readonly option: string | undefined;
  constructor(message: string, option?: string, options?: ErrorOptions) {
    super(message, options);
    this.option = option;
  }
}

/** A run folder cannot be created, locked, read or written. The message begins with `path`. */
export class RunFolderError extends TrainError {
  static override readonly name: string = 'RunFolderError';
  static override readonly code: string = 'DAYBREAK_RUN_FOLDER';
  /** The folder, or the file at fault. */
  readonly path: string;
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

/** A checkpoint is missing, truncated or altered. The message begins with `path`: its folder, or the file at fault. */
export class CheckpointError extends RunFolderError {
  static override readonly name: string = 'CheckpointError';
  static override readonly code: string = 'DAYBREAK_CHECKPOINT';
}

/** A source of pictures has no usable pictures. `source` is the entry of `data` or `eval`. */
export class PictureSourceError extends TrainError {
  static override readonly name: string = 'PictureSourceError';
  static override readonly code: string = 'DAYBREAK_PICTURE_SOURCE';
  /** The entry of `data` or `eval`. */
  readonly source: string;
  constructor(source: string, problem: string, options?: ErrorOptions) {
    super(`${source}: ${problem}`, options);
    this.source = source;
  }
}

/** The scratch file for pictures that do not fit into memory cannot be created or written. The message begins with its `folder`. */
export class ScratchFileError extends TrainError {
  static override readonly name: string = 'ScratchFileError';
  static override readonly code: string = 'DAYBREAK_SCRATCH_FILE';
  readonly folder: string;
  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super(`${folder}: ${problem}`, options);
    this.folder = folder;
  }
}

/** An update exceeds a limit or the memory of the adapter. The message says which options make it smaller. */
export class UpdateSizeError extends TrainError {
  static override readonly name: string = 'UpdateSizeError';
  static override readonly code: string = 'DAYBREAK_UPDATE_SIZE';
}

/** A worker thread died. */
export class WorkerError extends TrainError {
  static override readonly name: string = 'WorkerError';
  static override readonly code: string = 'DAYBREAK_WORKER';
}

/** Details of a NonFiniteError. */
export interface NonFinite {
  /** Last of the skipped updates, counted from 1. */
  readonly step: number;
  /** Number of skipped updates in a row. */
  readonly inRow: number;
  /** What was NaN or infinite in the last one. */
  readonly found: string;
  /** The tensor that first became NaN or infinite, in the first of them. */
  readonly first: string;
}

/** Too many updates in a row were skipped because they contain NaN or infinity. None of them changed the weights. */
export class NonFiniteError extends TrainError implements NonFinite {
  static override readonly name: string = 'NonFiniteError';
  static override readonly code: string = 'DAYBREAK_NON_FINITE';
  readonly step: number;
  readonly inRow: number;
  readonly found: string;
  readonly first: string;
  /** @param advice what to do; appended to the message. */
  constructor(
    { step, inRow, found, first }: NonFinite,
    { advice, ...options }: ErrorOptions & { advice?: string } = {},
  ) {
    const which =
      inRow === 1
        ? `update ${step} contained NaN or infinity (${found})`
        : `updates ${step - inRow + 1} to ${step} contained NaN or infinity (the last: ${found})`;
    const end = advice === undefined ? '' : `. ${advice}`;
    super(`${which}; the weights before ${inRow === 1 ? 'it' : 'them'} are kept; first: ${first}${end}`, options);
    this.step = step;
    this.inRow = inRow;
    this.found = found;
    this.first = first;
  }

  /** The same error with advice. */
  advised(advice: string): NonFiniteError {
    return new NonFiniteError(this, { advice, cause: this });
  }
}
