/** Failures of this room: pictures that cannot be read, written, cut or compared. */

/** What would move a terminal's cursor, colour it or turn the reading direction: control and format characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A file's name as one line for people: what is not to be sent to a terminal becomes `\u{hex}`. */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * Something is wrong with a picture. The message is one line that begins with the file's name (or another name that
 * the caller gave the picture), made printable; `file` holds that name alone and `cause` the underlying error where there is one.
 */
export class ImageError extends Error {
  readonly file: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${printable(file)}: ${problem.replace(/\s+/g, ' ').trim()}`, options);
    this.name = 'ImageError';
    this.file = file;
  }
}

/** A picture has more pixels than the caller allows; its sides in pixels. */
export class PictureSizeError extends ImageError {
  readonly width: number;
  readonly height: number;
  constructor(file: string, width: number, height: number, maxPixels: number) {
    super(file, `${width}x${height} pixels are more than the limit of ${maxPixels}`);
    this.name = 'PictureSizeError';
    this.width = width;
    this.height = height;
  }
}

/** What another's error says, for a message of ours. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
