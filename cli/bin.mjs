#!/usr/bin/env node
// `daybreak`: runs the sources through tsx in a clone, and the compiled modules where the package is installed.
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: Daybreak needs Node 20.19 or later, this is ${process.versions.node}\n`);
  process.exit(1);
}

let reasonOf = error => error.code;

// The reader of our output may stop early (`daybreak eval … | head`): the command continues to its end.
let unwritten = false;
process.stdout.on('error', error => {
  if (error.code === 'EPIPE' || unwritten) return;
  unwritten = true;
  process.exitCode = 1;
  process.stderr.write(`error: the output cannot be written: ${reasonOf(error)}\n`);
});
// Errors on a closed stderr cannot be reported.
process.stderr.on('error', () => {});

const source = new URL('./main.ts', import.meta.url);
const fromSource = existsSync(source);
// tsx caches compiled files in the folder for temporary files, and fails if it cannot.
if (fromSource && !isWritable(tmpdir())) process.env.TSX_DISABLE_CACHE = '1';
// Without `tsconfig`, tsx would use a tsconfig.json in the user's current folder.
const tsconfig = fileURLToPath(new URL('../tsconfig.json', import.meta.url));
if (fromSource) (await import('tsx/esm/api')).register({ tsconfig });
const program = await import(fromSource ? source.href : new URL('../dist/cli/main.js', import.meta.url).href);
reasonOf = program.reasonOf;
const code = await program.main(process.argv.slice(2));
process.exitCode = unwritten ? code || 1 : code;

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
