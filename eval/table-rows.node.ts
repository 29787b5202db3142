/** Keeps finished scores of a table, so that a stopped one continues: one JSON file per set and method. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonText } from '../common/text.ts';
import { sha256Of } from '../files/digest.node.ts';
import { codeOf, FileError, reasonOf } from '../files/file-error.ts';
import { writeText } from '../files/output.node.ts';
import type { DataSet } from './dataset.node.ts';
import type { PictureScores } from './evaluate.ts';

/** A picture's scores, and the duration of the method in seconds. */
export type TimedScores = PictureScores & { readonly seconds?: number };

// JSON has no Infinity: the PSNR of identical pictures is null there.
const decibels = z
  .number()
  .nullable()
  .transform(value => value ?? Number.POSITIVE_INFINITY);

const Stored = z.object({
  identity: z.string(),
  images: z.array(
    z.object({
      name: z.string(),
      psnr: decibels,
      ssim: z.number(),
      psnr_paper: decibels,
      ssim_paper: z.number(),
      seconds: z.number().optional(),
    }),
  ),
});

/** The digest of a set's files and of how its LR pictures are made. @throws FileError if a file cannot be read. */
export async function digestOf(set: DataSet): Promise<string> {
  const parts = [set.origin];
  for (const { name, hr, lr } of set.entries)
    for (const path of [hr, ...(lr === undefined ? [] : [lr])]) parts.push(name, sha256Of(await bytesOf(path)));
  return sha256Of(parts.join('\n'));
}

/** @throws FileError if a file cannot be read. */
export async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new FileError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** The finished scores of one row. */
export class RowStore {
  readonly #file: { readonly path: string; readonly identity: string } | undefined;
  readonly #images: TimedScores[] = [];

  /** Without a file, scores are kept in memory alone. */
  constructor(file?: { readonly path: string; readonly identity: string }) {
    this.#file = file;
  }

  /**
   * Opens a row's file in `folder`/rows.
   * @param identity whatever the scores depend on; a file of another identity is replaced.
   * @throws FileError if the file exists and cannot be read.
   */
  static async open(folder: string, set: string, label: string, identity: string): Promise<RowStore> {
    const name = `${set}-${label}`.replaceAll(/[^\w.+()-]+/g, '_');
    const path = join(folder, 'rows', `${name}.json`);
    const store = new RowStore({ path, identity });
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new FileError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
    });
    if (text === undefined) return store;
    const parsed = Stored.safeParse(jsonOf(text));
    // Damaged or made from other pictures or weights: made again.
    if (parsed.success && parsed.data.identity === identity)
      store.#images.push(
        ...parsed.data.images.map(({ seconds, ...one }) => ({ ...one, ...(seconds !== undefined && { seconds }) })),
      );
    return store;
  }

  get images(): readonly TimedScores[] {
    return this.#images;
  }

  has(name: string): boolean {
    return this.#images.some(one => one.name === name);
  }

  /** Adds a picture's scores, and writes the file if there is one. @throws FileError if it cannot be written. */
  async add(scores: TimedScores): Promise<void> {
    this.#images.push(scores);
    if (!this.#file) return;
    const { path, identity } = this.#file;
    await writeText(path, jsonText({ identity, images: this.#images }));
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
