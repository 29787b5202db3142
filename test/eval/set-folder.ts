/** Sets of pictures made for this purpose, 55x56 pixels, laid out as a test wants them. */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './temporary.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/pictures/eval', import.meta.url));

/**
 * A folder with copies of the pictures in test/fixtures/pictures/eval, gone after the test.
 * @param files path → name of the picture, or `bytes` for a file that none reads.
 */
export function setFolder(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, picture] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (picture === 'bytes') writeFileSync(file, 'BM');
    else copyFileSync(join(FIXTURES, `${picture}.png`), file);
  }
  return folder;
}

/** Two originals with their LR, as `HR/` and `LRx4/`. */
export const PAIRS = {
  'HR/baby.png': 'hr-1',
  'HR/bird.png': 'hr-2',
  'LRx4/baby.png': 'lr-1',
  'LRx4/bird.png': 'lr-2',
} as const;
