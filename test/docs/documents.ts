/** The project's documents, and what stands in them that a test can try. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.ts';

export interface Document {
  /** From the root folder. */
  readonly path: string;
  readonly text: string;
}

const written = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'));

export const documents: readonly Document[] = [
  'README.md',
  'CHANGELOG.md',
  'bench/NOTES.md',
  ...written.map(name => `docs/${name}`),
].map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** The fenced blocks of a language. */
export const blocks = ({ text }: Document, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code);

/** What stands between single backticks, outside of blocks. */
export const inlineCode = ({ text }: Document): string[] =>
  [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`([^`]+)`/g)].map(([, code]) => code);

/** Lines to be typed: those of sh blocks without their comments, and inline code that begins with npm or npx. */
export function commandLines(document: Document): string[] {
  const lines = blocks(document, 'sh').flatMap(block => block.split('\n'));
  return [...lines.map(line => line.replace(/(^| +)#.*/, '')), ...inlineCode(document)]
    .map(line => line.trim())
    .filter(line => /^np[mx] /.test(line));
}
