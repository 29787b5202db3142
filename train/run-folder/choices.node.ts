/** `choices.json` of a run folder: the tuned kernel choices that the run was started with. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { jsonText } from '../../common/text.ts';
import type { Device } from '../../engine/device/device.ts';
import { FixedChoices } from '../../engine/text/choices.ts';
import { codeOf } from '../../files/file-error.ts';
import { RunFolderError } from '../errors.ts';
import { replaceFile } from './replace-file.node.ts';

const NAME = 'choices.json';

const Choices = z.array(z.object({ family: z.string(), problem: z.string(), variant: z.string() }));

/** Writes the kernel choices of a device; writes nothing if it uses the default rules. */
export async function recordChoices(folder: string, { traits: { choices } }: Device): Promise<void> {
  if (choices instanceof FixedChoices && choices.entries.length > 0)
    await replaceFile(join(folder, NAME), jsonText(choices.entries));
}

/**
 * Reads the kernel choices that a run was started with; undefined if it uses the default rules.
 * @throws RunFolderError if the file is damaged.
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
      `${why}: it stores the kernels that the run was started with; without it, the run continues with other kernels and ` +
        'different bits',
      { cause: error },
    );
  }
}
