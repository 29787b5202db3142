/** Which kernels a run was begun with, where tuning had chosen them: `choices.json` in its folder. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { codeOf } from '../../common/files/file-error.ts';
import { jsonText } from '../../common/text.ts';
import type { Device } from '../../engine/device/device.ts';
import { FixedChoices } from '../../engine/text/choices.ts';
import { RunFolderError } from '../errors.ts';
import { replaceFile } from './replace-file.node.ts';

const NAME = 'choices.json';

const Choices = z.array(z.object({ family: z.string(), problem: z.string(), variant: z.string() }));

/** Writes the choices that a device has been given; nothing where the rules choose. */
export async function recordChoices(folder: string, { traits: { choices } }: Device): Promise<void> {
  if (choices instanceof FixedChoices && choices.entries.length > 0)
    await replaceFile(join(folder, NAME), jsonText(choices.entries));
}

/**
 * The choices that the run in a folder was begun with; undefined where it was begun by the rules.
 * @throws RunFolderError where the file is damaged.
 */
export async function recordedChoices(folder: string): Promise<FixedChoices | undefined> {
  const path = join(folder, NAME);
  if (!existsSync(path)) return undefined;
  try {
    return new FixedChoices(Choices.parse(JSON.parse(await readFile(path, 'utf8'))));
  } catch (error) {
    const why = error instanceof z.ZodError || error instanceof SyntaxError ? 'is damaged' : `(${codeOf(error)})`;
    throw new RunFolderError(
      path,
      `${why}: it says which kernels the run was begun with; without it the run goes on with others, to other bytes`,
      { cause: error },
    );
  }
}
