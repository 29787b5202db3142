/** `data.json` of a run folder: the names and hashes of the pictures that the run is trained and scored on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256Of } from '../../files/digest.node.ts';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import type { Identities } from '../pictures/identity.ts';
import { replaceFile } from './replace-file.node.ts';

export const PICTURE_RECORD = 'data.json';

const List = z.object({
  /** Hash of the list in JSON. */
  sha256: z.string(),
  pictures: z.array(
    z.union([
      z.strictObject({ name: z.string(), sha256: z.string() }),
      z.strictObject({ generated: z.number().int().min(1) }),
    ]),
  ),
});

const File = z.object({
  format: z.literal('daybreak pictures 1'),
  training: List,
  evaluation: z.array(List.extend({ data: z.string() })),
});

/** The pictures of a run: for training, in the order used for crops, and of each evaluation set. */
export interface PictureRecord {
  readonly training: Identities;
  readonly evaluation: readonly { readonly data: string; readonly pictures: Identities }[];
}

const digestOf = (pictures: Identities) => sha256Of(JSON.stringify(pictures));

/** Writes data.json, one line per picture. @throws RunFolderError if it cannot be written. */
export async function writePictureRecord(folder: string, { training, evaluation }: PictureRecord): Promise<void> {
  const list = (pictures: Identities) =>
    `"sha256": "${digestOf(pictures)}", "pictures": [\n${pictures.map(one => JSON.stringify(one)).join(',\n')}\n]`;
  const sets = evaluation.map(({ data, pictures }) => `{"data": ${JSON.stringify(data)}, ${list(pictures)}}`);
  const text =
    `{"format": "daybreak pictures 1",\n"training": {${list(training)}},\n` + `"evaluation": [${sets.join(',\n')}]}\n`;
  await replaceFile(join(folder, PICTURE_RECORD), text);
}

/**
 * Reads data.json of a run folder; undefined if there is none, as in runs of earlier versions.
 * @throws RunFolderError if it is damaged.
 */
export async function readPictureRecord(folder: string): Promise<PictureRecord | undefined> {
  const path = join(folder, PICTURE_RECORD);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new RunFolderError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const damaged = (cause?: unknown) =>
    new RunFolderError(
      path,
      'is damaged: it lists the pictures that the run was started with; without it, the run continues without checking them',
      { cause },
    );
  let found: z.infer<typeof File>;
  try {
    found = File.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(error);
  }
  for (const { pictures, sha256 } of [found.training, ...found.evaluation])
    if (digestOf(pictures) !== sha256) throw damaged();
  return {
    training: found.training.pictures,
    evaluation: found.evaluation.map(({ data, pictures }) => ({ data, pictures })),
  };
}
