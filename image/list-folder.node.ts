/** Lists folders of pictures in natural order. */

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { reasonOf } from '../files/file-error.ts';
import { ImageError } from './errors.ts';

const natural = new Intl.Collator('en', { numeric: true });

/** Natural order: img_2 before img_10. Independent of the machine's locale. */
export function compareNames(a: string, b: string): number {
  return natural.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** The contents of a folder in natural order, without hidden files and folders. */
export interface FolderContents {
  readonly entries: readonly Dirent[];
  /** Entries whose names are not valid UTF-8. They cannot be opened; their names have replacement characters. */
  readonly undecodable: readonly Dirent[];
}

/** @throws ImageError if the folder cannot be listed. */
export async function listFolder(folder: string): Promise<FolderContents> {
  try {
    const listed = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
    listed.sort((a, b) => compareNames(a.name, b.name));
    const suspicious = listed.some(({ name }) => name.includes(REPLACEMENT));
    if (!suspicious) return { entries: listed, undecodable: [] };
    const valid = await validNames(folder);
    const [entries, undecodable]: [Dirent[], Dirent[]] = [[], []];
    for (const entry of listed) {
      // A valid name may contain the character, too. It belongs to one entry only, so we delete it from the valid ones.
      const isValid = !entry.name.includes(REPLACEMENT) || valid.delete(entry.name);
      (isValid ? entries : undecodable).push(entry);
    }
    return { entries, undecodable };
  } catch (error) {
    throw new ImageError(folder, `cannot list this folder: ${reasonOf(error)}`, { cause: error });
  }
}

/** What Node puts for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

async function validNames(folder: string): Promise<Set<string>> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const valid = new Set<string>();
  for (const bytes of await readdir(folder, { encoding: 'buffer' })) {
    try {
      valid.add(decoder.decode(bytes));
    } catch {
      // Not UTF-8.
    }
  }
  return valid;
}
