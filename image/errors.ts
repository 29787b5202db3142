/** Errors of image/: pictures that cannot be read, written, cropped or compared. */

/** Control and format characters, which could move a terminal's cursor, colour it or change the reading direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A file's name in one printable line: control and format characters become `\u{hex}`. */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * An error about one picture. The message is one line that starts with the printable name of the file (or another name
 * that the caller gave). `file` is that name, `cause` the underlying error, if any.
 */
export class ImageError extends Error {
  readonly file: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${printable(file)}: ${problem.replace(/\s+/g, ' ').trim()}`, options);
    this.name = 'ImageError';
    this.file = file;
  }
}

/** A picture has more pixels than the limit. */
export class PictureSizeError extends ImageError {
  readonly width: number;
  readonly height: number;
  constructor(file: string, width: number, height: number, maxPixels: number) {
    super(file, `${width}x${height} pixels exceed the limit of ${maxPixels}`);
    this.name = 'PictureSizeError';
    this.width = width;
    this.height = height;
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
