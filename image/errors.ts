/** Errors of image/: pictures that cannot be read, written, cropped or compared. */

import { DaybreakError } from '../common/errors.ts';
import { printable } from '../common/text.ts';

/**
 * An error about one picture. The message is one line: the printable name of the file (or another name that the caller
 * gave), then `reason`. `file` is the name, `cause` the underlying error, if any.
 */
export class ImageError extends DaybreakError {
  static override readonly name: string = 'ImageError';
  static override readonly code: string = 'DAYBREAK_IMAGE';
  /** The file, or another name that the caller gave. */
  readonly file: string;
  /** The message without the name. */
  readonly reason: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    const reason = problem.replace(/\s+/g, ' ').trim();
    super(`${printable(file)}: ${reason}`, options);
    this.file = file;
    this.reason = reason;
  }
}

/** A picture has more pixels than the limit. */
export class PictureSizeError extends ImageError {
  static override readonly name: string = 'PictureSizeError';
  static override readonly code: string = 'DAYBREAK_PICTURE_SIZE';
  /** In pixels, as the file says. */
  readonly width: number;
  /** In pixels, as the file says. */
  readonly height: number;
  constructor(file: string, width: number, height: number, maxPixels: number) {
    super(file, `${width}x${height} pixels exceed the limit of ${maxPixels}`);
    this.width = width;
    this.height = height;
  }
}
