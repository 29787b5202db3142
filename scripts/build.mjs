/**
 * Builds the package into dist/: modules and declarations by tsc, then modules without what only tests use. Run by `npm run build`
 * and, through `prepack`, by `npm pack`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { globSync } from 'tinyglobby';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** What modules load by path beside them. */
const ASSETS = [
  'eval/comparison-page/page.mjs',
  'files/heartbeat.node.mjs',
  'image/png-worker.node.mjs',
  'methods/worker.node.mjs',
  'models/pretrained',
  'mos/page/icon.svg',
  'mos/page/index.html',
  'mos/page/page.mjs',
  'mos/page/style.css',
  'train/pictures/worker.node.mjs',
];

rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// Specifications of operations (references, samples) are calls marked pure that nothing uses: a third of the code.
for (const file of globSync('**/*.js', { cwd: dist })) {
  const path = join(dist, file);
  const { code, map } = transformSync(readFileSync(path, 'utf8'), {
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    treeShaking: true,
    sourcemap: 'external',
    sourcesContent: false,
    sourcefile: file,
  });
  const name = file.split('/').at(-1);
  writeFileSync(path, `${code}//# sourceMappingURL=${name}.map\n`);
  writeFileSync(`${path}.map`, map);
}

// Declarations name WebGPU's types and `Disposable`, whatever libraries a project's tsconfig.json has.
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const doors = JSON.stringify(exports).match(/[^"]+\.d\.ts/g) ?? [];
for (const file of new Set(doors)) {
  const path = join(root, file);
  const references = '/// <reference types="@webgpu/types" />\n/// <reference lib="esnext.disposable" />\n';
  writeFileSync(path, references + readFileSync(path, 'utf8'));
}

for (const asset of ASSETS) {
  // Makes the folders above, too.
  cpSync(join(root, asset), join(dist, asset), { recursive: true });
}
