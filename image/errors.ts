/** Failures of this room: pictures that cannot be read, written, cut or compared. */

/**
 * Something is wrong with a picture. The message is one line that begins with the file's name (or another name that
 * the caller gave the picture); `file` holds that name alone and `cause` the underlying error where there is one.
 */
export class ImageError extends Error {
  readonly file: string;
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem.replace(/\s+/g, ' ').trim()}`, options);
    this.name = 'ImageError';
    this.file = file;
  }
}
