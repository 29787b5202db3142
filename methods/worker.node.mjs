// Where a thread begins: from a clone it runs the sources through tsx, as cli/bin.mjs does for the main thread.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = new URL('./worker.node.ts', import.meta.url);
const fromSource = existsSync(source);
const tsconfig = fileURLToPath(new URL('../tsconfig.json', import.meta.url));
if (fromSource) (await import('tsx/esm/api')).register({ tsconfig });
await import(fromSource ? source.href : new URL('./worker.node.js', import.meta.url).href);
