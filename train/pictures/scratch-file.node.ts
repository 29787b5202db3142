/**
 * A temporary file for data that does not fit into memory. It is deleted as soon as it is open: the system frees its space
 * when the process ends, even after SIGKILL.
 */

import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { mebibytes } from '../../common/text.ts';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { codeOf } from '../../files/file-error.ts';
import { ScratchFileError } from '../errors.ts';

/** Fills `target` with the bytes at `position`. @throws the system's error, or DaybreakError if the file is too short. */
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

  /** @throws ScratchFileError if no file can be created in the folder. */
  static async create(folder: string): Promise<ScratchFile> {
    const path = join(folder, `.scratch-${randomUUID()}`);
    try {
      const handle = await open(path, 'wx+', 0o600);
      await rm(path, { force: true });
      return new ScratchFile(folder, handle);
    } catch (error) {
      throw new ScratchFileError(folder, `cannot create a scratch file here (${codeOf(error)})`, { cause: error });
    }
  }

  /** The file descriptor, which other threads can read from. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Size of the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Free space on its disk, in bytes. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  /**
   * Appends blocks of bytes.
   * @returns the position of the first.
   * @throws ScratchFileError, for instance if the disk is full.
   */
  async append(blocks: readonly Uint8Array[]): Promise<number> {
    const begin = this.#bytes;
    this.#bytes += blocks.reduce((sum, { length }) => sum + length, 0);
    let position = begin;
    try {
      for (const block of blocks) {
        await this.#write(block, position);
        position += block.length;
      }
    } catch (error) {
      throw new ScratchFileError(
        this.folder,
        `the scratch file cannot grow beyond ${mebibytes(position)} (${codeOf(error)}); free some space, or keep more pictures in memory with --data-budget`,
        { cause: error },
      );
    }
    return begin;
  }

  async #write(block: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < block.length; )
      done += (await this.#handle.write(block, done, block.length - done, position + done)).bytesWritten;
  }

  /** Reads `length` bytes at `position`. */
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
