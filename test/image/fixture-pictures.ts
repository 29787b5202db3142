/** The picture files of test/fixtures, all of the same 40x24 pixels. */

import { readFileSync } from 'node:fs';

export const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/pictures/${name}`, import.meta.url));
