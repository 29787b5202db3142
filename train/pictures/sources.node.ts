/** The sources that the options `data` and `eval` name: folders, photographs from npm, the synthetic generator. */

import { printable } from '../../common/text.ts';
import { openDataSet } from '../../eval/dataset.node.ts';
import { ImageError } from '../../image/errors.ts';
import type { TrainConfig } from '../config/config.ts';
import { PictureSourceError } from '../errors.ts';
import { PHOTOGRAPHS } from './photographs.node.ts';
import type { PictureOrigin } from './training-picture.node.ts';

export interface LoadOptions {
  /** Called after each picture: `done` of the `total` of this source have been read, generated or skipped. */
  readonly onProgress?: (progress: { source: string; done: number; total: number }) => void;
  readonly signal?: AbortSignal;
  /** Called with a line for each warning about files that are skipped or faulty. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export type TrainingSources = Pick<TrainConfig, 'data' | 'crop' | 'seed' | 'syntheticCount' | 'syntheticSize'> &
  Partial<Pick<TrainConfig, 'degrade'>>;

/** The content of a source of `data`; nothing has been read yet. */
export interface Source {
  readonly source: string;
  readonly origins: readonly PictureOrigin[];
  /** Files of a folder that cannot be used because of their names. */
  readonly unusable: readonly ImageError[];
}

function photograph(name: string): PictureOrigin {
  return { kind: 'photograph', name };
}

function synthetic({ seed, index, size }: { seed: number; index: number; size: number }): PictureOrigin {
  const name = `synthetic-${String(index % 2 ** 32).padStart(4, '0')}`;
  return { kind: 'synthetic', name, seed, index, size };
}

/** Opens a source of `data`. @throws PictureSourceError if it is missing. */
export async function trainingSource(
  source: string,
  config: TrainingSources,
  onNote: LoadOptions['onNote'],
): Promise<Source> {
  if (source === 'photographs') return { source, origins: PHOTOGRAPHS.training.map(photograph), unusable: [] };
  if (source === 'synthetic') {
    const { seed, syntheticCount, syntheticSize: size } = config;
    const origins = Array.from({ length: syntheticCount }, (_, index) => synthetic({ seed, index, size }));
    return { source, origins, unusable: [] };
  }
  const found = await openFolder(source, '--data');
  for (const note of found.notes) onNote?.(note);
  const degraded = config.degrade?.length ? '; --degrade does not change them' : '';
  if (found.entries.some(({ lr }) => lr !== undefined))
    onNote?.(`${printable(source)}: trains on its own ${found.origin}${degraded}`);
  const origins = found.entries.map(({ name, hr, lr }) => ({ kind: 'file', name, path: hr, low: lr }) as const);
  return { source, origins, unusable: found.strays };
}

/**
 * Held-out synthetic pictures. Training only uses indices below 2^32; seed and size are fixed so that every run is scored
 * on the same pictures.
 */
const HELD_OUT_SYNTHETIC = [0, 1, 2, 3, 4].map(i => ({ seed: 0, index: 2 ** 32 + i, size: 256 }));

/** The pictures of a word that are never trained on; undefined for a folder. */
export function heldOutPictures(source: string): readonly PictureOrigin[] | undefined {
  if (source === 'photographs') return PHOTOGRAPHS.heldOut.map(photograph);
  return source === 'synthetic' ? HELD_OUT_SYNTHETIC.map(synthetic) : undefined;
}

/**
 * Opens a folder as `daybreak eval` does. `flag` names the option in messages.
 * @throws PictureSourceError if it cannot be read. A mistyped word looks like a missing folder, so the message lists the
 * words.
 */
export async function openFolder(source: string, flag: '--data' | '--eval') {
  try {
    return await openDataSet(source);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const problem = error.message.slice(error.file.length + 2);
    const hint = `${flag} takes a folder of pictures, synthetic or photographs`;
    throw new PictureSourceError(source, `${problem}; ${hint}`, { cause: error });
  }
}
