/** What the documents point to is there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { documents, inlineCode } from './documents.ts';
import { root } from './run.ts';

/** A heading's anchor, as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));

test.each(documents)('links of $path', ({ path, text }) => {
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [file, fragment] = target.split('#');
    const full = file === '' ? path : join(dirname(path), file);
    expect(existsSync(join(root, full)), target).toBe(true);
    const linked = documents.find(document => document.path === full);
    if (fragment && linked) expect(anchorsOf(linked.text)).toContain(fragment);
  }
});

/** `engine/graph/fuse.ts`, `docs/`, `test/golden`: names of places in the project, of which a move must not leave a trace. */
const PLACE = /^(engine|kernels|models|image|train|tune|eval|cli|bench|test|docs|examples|scripts|web)\/[\w./-]*$/;

test.each(documents)('places that $path names', document => {
  for (const code of inlineCode(document)) if (PLACE.test(code)) expect(existsSync(join(root, code)), code).toBe(true);
});
