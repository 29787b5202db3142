/** Finds, reads and writes the tuned file of an adapter. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonText } from '../common/text.ts';
import { type AdapterDescription, adapterName } from '../engine/device/adapter.ts';
import type { FixedChoices } from '../engine/text/choices.ts';
import { cacheFolder } from '../files/cache-folder.node.ts';
import { codeOf, FileError, reasonOf } from '../files/file-error.ts';
import { writeAtomically } from '../files/write.node.ts';
import { choicesOf, sameAdapter, TunedFile } from './tuned.ts';

/** A tuned file that cannot be used. The message says what to do. */
export class TunedFileError extends FileError {
  static override readonly name: string = 'TunedFileError';
  static override readonly code: string = 'DAYBREAK_TUNED_FILE';
}

/**
 * The tuned file of an adapter: the variable DAYBREAK_TUNED, or a file in the user's cache folder (by the platform's
 * conventions; on Linux ~/.cache/daybreak). Undefined if the variable is empty or the user has
 * no such folder, which disables tuned files.
 */
export function tunedPath({ vendor, device, description }: AdapterDescription): string | undefined {
  const { DAYBREAK_TUNED } = process.env;
  if (DAYBREAK_TUNED !== undefined) return DAYBREAK_TUNED || undefined;
  // Some drivers describe only themselves, so the name includes the device: one driver may serve several adapters.
  const words = [...(description ? [] : [vendor]), device, description].join(' ').toLowerCase();
  const name = words.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
  const caches = cacheFolder();
  return caches && join(caches, `tuned-${name.slice(0, 120)}.json`);
}

/** The content of a tuned file; undefined if it does not exist. @throws TunedFileError if it is damaged. */
export async function readTunedFile(path: string): Promise<TunedFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new TunedFileError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new TunedFileError(path, 'is not JSON; remove it and run daybreak tune again', { cause });
  }
  const parsed = TunedFile.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TunedFileError(
    path,
    `is not a tuned file (${issue.path.join('.')}: ${issue.message}); remove it and run daybreak tune again`,
  );
}

/** Replaces a tuned file atomically. @throws FileError. */
export async function writeTunedFile(path: string, file: TunedFile): Promise<void> {
  await writeAtomically(path, jsonText(file));
}

/** Whether an adapter's tuned file is in use, and if not, why. */
export type TunedState =
  | { readonly state: 'in use'; readonly path: string; readonly choices: FixedChoices; readonly date: string }
  | { readonly state: 'none'; readonly path: string | undefined }
  | { readonly state: 'other adapter' | 'damaged'; readonly path: string; readonly problem: string };

/** Finds the tuned file of an adapter. Does not throw: without a file, the rules choose. */
export async function findTuned(adapter: AdapterDescription): Promise<TunedState> {
  const path = tunedPath(adapter);
  if (path === undefined) return { state: 'none', path };
  try {
    const file = await readTunedFile(path);
    if (!file) return { state: 'none', path };
    if (sameAdapter(file.adapter, adapter)) return { state: 'in use', path, choices: choicesOf(file), date: file.date };
    return {
      state: 'other adapter',
      path,
      problem: `${path}: was measured on ${adapterName(file.adapter)}; run daybreak tune here`,
    };
  } catch (error) {
    return { state: 'damaged', path, problem: (error as Error).message };
  }
}
