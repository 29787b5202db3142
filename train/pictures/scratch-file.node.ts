/**
 * A file for what does not fit into memory. Its name is taken away as soon as it is open: the system frees its bytes when
 * the process ends, however it ends, and nothing is ever left behind.
 */

import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../common/files/file-error.ts';
import { mebibytes } from '../../common/text.ts';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { ScratchFileError } from '../errors.ts';

/** Fills `target` from `position` on. @throws the system's error, or DaybreakError where the file is too short. */
export function readAt(descriptor: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(descriptor, target, done, target.length - done, position + done);
    if (count === 0) throw new DaybreakError(`The scratch file ends before byte ${position + target.length}.`);
    done += count;
  }
}

export class ScratchFile implements Disposable {
  readonly folder: string;
  readonly #handle: FileHandle;
  #bytes = 0;

  private constructor(folder: string, handle: FileHandle) {
    this.folder = folder;
    this.#handle = handle;
  }

  /** @throws ScratchFileError where no file can be made in the folder. */
  static async create(folder: string): Promise<ScratchFile> {
    const path = join(folder, `.scratch-${randomUUID()}`);
    try {
      const handle = await open(path, 'wx+', 0o600);
      await rm(path, { force: true });
      return new ScratchFile(folder, handle);
    } catch (error) {
      throw new ScratchFileError(folder, `cannot hold a scratch file (${codeOf(error)})`, { cause: error });
    }
  }

  /** Of the open file, for other threads to read. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that its disk has left. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  /** Adds parts one after the other, and says where the first begins. @throws ScratchFileError, for a full disk too. */
  async append(parts: readonly Uint8Array[]): Promise<number> {
    const begin = this.#bytes;
    this.#bytes += parts.reduce((sum, { length }) => sum + length, 0);
    let position = begin;
    try {
      for (const part of parts) {
        await this.#write(part, position);
        position += part.length;
      }
    } catch (error) {
      throw new ScratchFileError(
        this.folder,
        `a scratch file cannot grow beyond ${mebibytes(position)} (${codeOf(error)}); make room there, or let more rest in memory with --data-budget`,
        { cause: error },
      );
    }
    return begin;
  }

  async #write(part: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < part.length; )
      done += (await this.#handle.write(part, done, part.length - done, position + done)).bytesWritten;
  }

  /** `length` bytes from `position` on. */
  read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    readAt(this.#handle.fd, bytes, position);
    return bytes;
  }

  dispose(): void {
    this.#handle.close().catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
