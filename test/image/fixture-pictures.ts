/** Picture files: those of test/fixtures, and those in a folder. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { PICTURE_EXTENSIONS } from '../../image/formats.ts';

/** A file of test/fixtures/pictures, all of the same 40x24 pixels. */
export const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/pictures/${name}`, import.meta.url));

/** Paths of the pictures in a folder, sorted. */
export const picturePaths = (folder: string): string[] =>
  readdirSync(folder)
    .filter(name => PICTURE_EXTENSIONS.includes(extname(name)))
    .sort()
    .map(name => join(folder, name));
