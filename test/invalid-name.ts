/** Writes files whose names are not valid UTF-8, as old archives contain them. */
import { readdirSync, writeFileSync } from 'node:fs';

/** `\xff.png`. */
export const invalidName: Buffer = Buffer.from('\xff.png', 'latin1');

/** Writes such a file into a folder. Returns the reason if the file system refuses the name. */
export function writeInvalidName(folder: string, content: string | Uint8Array = ''): string | undefined {
  try {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), invalidName]), content);
  } catch (error) {
    return `the file system refuses names that are not UTF-8: ${(error as Error).message}`;
  }
  const kept = readdirSync(folder, { encoding: 'buffer' }).some(name => name.equals(invalidName));
  return kept ? undefined : 'the file system changes names that are not UTF-8';
}
