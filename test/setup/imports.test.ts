/** The lint rules on imports: every wrong import fails and names the rule it broke; the right ones pass. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const house = mkdtempSync(join(tmpdir(), 'daybreak-imports-'));
afterAll(() => rmSync(house, { recursive: true }));

/** File → what it imports (`type`: as a type only). Each is wrong in the way that the rule's name says. */
const WRONG: Record<string, Record<string, string>> = {
  'common-imports-downwards': { 'common/text.ts': '../engine/basics/shape.ts' },
  'files-imports-downwards': { 'files/write.ts': '../engine/basics/shape.ts' },
  'engine-imports-downwards': {
    'engine/graph/trace.ts': '../../kernels/add.ts',
    'engine/program/plan.ts': '../../image/picture.ts',
  },
  'image-imports-downwards': { 'image/metrics.ts': '../engine/basics/shape.ts' },
  'kernels-imports-downwards': { 'kernels/relu.ts': '../models/srresnet.ts' },
  'models-imports-downwards': { 'models/vgg.ts': '../train/adam.ts', 'models/bn.ts': 'type ../image/picture.ts' },
  'eval-imports-downwards': { 'eval/table.ts': '../train/adam.ts' },
  'train-imports-downwards': { 'train/trainer.ts': '../cli/main.ts' },
  'index.ts-imports-downwards': { 'index.ts': './models/srresnet.ts' },
  'cli-imports-downwards': { 'cli/eval.ts': '../test/fixture.ts' },
  'web-imports-downwards': { 'web/page.ts': '../cli/main.ts' },
  'engine-basics-imports-downwards': { 'engine/basics/errors.ts': '../device/memory.ts' },
  'engine-graph-imports-downwards': { 'engine/graph/optimize.ts': '../compile.ts' },
  'no-circles': { 'kernels/chicken.ts': './egg.ts' },
  'node-modules-in-node-code-only': { 'models/weights.ts': 'node:fs' },
  'node-packages-in-node-code-only': { 'image/codec.ts': 'pngjs', 'engine/device/device.ts': 'webgpu' },
  'node-twin-by-condition': { 'eval/dataset.ts': '../image/codec.node.ts' },
  'imports-exist': { 'train/loss.ts': './no-such-file.ts' },
  'shipped-code-needs-no-development-packages': { 'cli/train.ts': 'vitest' },
};

const RIGHT: Record<string, string> = {
  'engine/program/program.ts': '../device/memory.ts',
  'image/picture.ts': '../common/errors.ts',
  'engine/device/gpu.node.ts': 'node:os',
  'kernels/conv2d.ts': '../engine/basics/shape.ts',
  'kernels/egg.ts': './chicken.ts', // Half of the circle, which is reported once.
  'image/index.ts': '#codec',
  'image/codec.node.ts': 'pngjs',
  'models/upscaler.ts': '../index.ts',
  'train/config/config.ts': 'zod',
  'train/run-folder/folder.node.ts': 'node:path',
  'eval/batch.node.ts': '../image/codec.node.ts',
  'cli/upscale.ts': '../eval/batch.node.ts',
  'test/fixture.ts': 'vitest',
  'scripts/start.ts': '../train/adam.ts',
};

/** Files that are imported above and import nothing. */
const LEAVES = [
  'common/errors.ts',
  'engine/compile.ts',
  'engine/device/memory.ts',
  'engine/basics/shape.ts',
  'image/codec.browser.ts',
  'kernels/add.ts',
  'models/srresnet.ts',
  'train/adam.ts',
  'cli/main.ts',
];

function write(file: string, imported?: string): void {
  const [target, kind] = imported?.split(' ').reverse() ?? [];
  const statement = kind === 'type' ? `import type * as it from '${target}';` : `import '${target}';`;
  mkdirSync(dirname(join(house, file)), { recursive: true });
  writeFileSync(join(house, file), target ? statement : 'export {};');
}

test('a wrong import fails the check and says which rule it broke; a right one passes', () => {
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.js'])
    cpSync(join(root, file), join(house, file));
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  const wrong = Object.entries(WRONG).flatMap(([rule, files]) =>
    Object.entries(files).map(([file, imported]) => ({ rule, file, imported })),
  );
  for (const file of LEAVES) write(file);
  for (const { file, imported } of wrong) write(file, imported);
  for (const [file, imported] of Object.entries(RIGHT)) write(file, imported);

  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.js', '.'];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: house, encoding: 'utf8' });
  const found = [...stdout.matchAll(/^ *error (\S+): (\S+)/gm)].map(([, rule, file]) => `${file}: ${rule}`);
  expect(found.sort()).toEqual(wrong.map(({ rule, file }) => `${file}: ${rule}`).sort());
  expect(status).toBe(wrong.length);
});
