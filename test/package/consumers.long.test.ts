/** The package among others' tools: installed by npm from the registry, bundled, tested, type-checked by several TypeScripts. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNpm } from '../../scripts/setup/npm-command.mjs';
import { pack, root } from './installed.ts';

const TOOLS = [
  'vite@8.4.0',
  'webpack@5.113.0',
  'webpack-cli@7.3.1',
  'rollup@4.68.8',
  '@rollup/plugin-node-resolve@16.0.3',
  'jest@30.5.2',
  'vitest@4.1.12',
  'typescript5@npm:typescript@5.9.3',
  'typescript7@npm:typescript@7.0.2',
  '@types/node@20.19.43',
];

let folder: string;

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const child = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env } });
  const output = `${child.stdout}${child.stderr}`;
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${child.status}:\n${output}`);
  return output;
}
const bin = (name: string, ...args: string[]) => run(join(folder, 'node_modules/.bin', name), args);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'daybreak-consumer-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const npm = runNpm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', pack(folder), ...TOOLS],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (npm.status !== 0) throw new Error(`npm install ended with ${npm.status}:\n${npm.stdout}${npm.stderr}`);
  writeFileSync(
    join(folder, 'page.js'),
    `import { conv2d, init, tensor } from 'daybreak';
     import { Adam } from 'daybreak/nn';
     const device = await init();
     console.log(conv2d(tensor([1], [1, 1, 1, 1]), tensor([2], [1, 1, 1, 1])), Adam, device);`,
  );
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SUM = `const device = await init();
  expect([...(await tensor([1, 2]).data())]).toEqual([1, 2]);
  device.dispose();`;

test('Vite', () => {
  writeFileSync(join(folder, 'index.html'), '<script type="module" src="/page.js"></script>');
  run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--outDir', 'by-vite', '--logLevel', 'warn']);
  expect(existsSync(join(folder, 'by-vite/index.html'))).toBe(true);
});

test('the page of the examples, by Vite', () => {
  const page = join(folder, 'page');
  mkdirSync(page);
  for (const file of ['index.html', 'main.js']) copyFileSync(join(root, 'examples/web-page', file), join(page, file));
  run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', 'page', '--logLevel', 'warn']);
  const assets = readdirSync(join(page, 'dist/assets'));
  expect(assets.some(name => name.endsWith('.js')) && assets.some(name => name.endsWith('.safetensors'))).toBe(true);
});

test('webpack', () => {
  bin('webpack', '--mode', 'production', '--target', 'web', '--entry', './page.js', '-o', 'by-webpack');
  expect(existsSync(join(folder, 'by-webpack/main.js'))).toBe(true);
});

test('Rollup', () => {
  bin(
    'rollup',
    'page.js',
    '-p',
    'node-resolve={browser:true}',
    '-f',
    'es',
    '-o',
    'by-rollup.js',
    '--failAfterWarnings',
  );
});

test('Vitest', () => {
  const imports = `import { expect, test } from 'vitest';\nimport { init, tensor } from 'daybreak';\n`;
  writeFileSync(join(folder, 'vitest.test.js'), `${imports}test('adds', async () => { ${SUM} });`);
  bin('vitest', 'run', 'vitest.test.js');
});

test('Jest, with ES modules', () => {
  writeFileSync(
    join(folder, 'jest.test.mjs'),
    `import { init, tensor } from 'daybreak';\ntest('adds', async () => { ${SUM} });`,
  );
  const config = JSON.stringify({
    testMatch: ['**/jest.test.mjs'],
    moduleFileExtensions: ['mjs', 'js'],
    transform: {},
  });
  run(process.execPath, ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', config]);
});

test.each(['typescript5', 'typescript7'])('%s', name => {
  writeFileSync(
    join(folder, 'use.ts'),
    `import { grad, init, sum, type Tensor, tensor } from 'daybreak';
     import { Module } from 'daybreak/nn';
     export class Net extends Module { forward(x: Tensor): Tensor { return sum(x); } }
     export const device = init();
     export const gradients: Tensor[] = grad(tensor(1), [tensor(2)]);`,
  );
  for (const moduleResolution of ['nodenext', 'bundler']) {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    const options = {
      module,
      moduleResolution,
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
    };
    const compilerOptions = { ...options, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    run(process.execPath, [`node_modules/${name}/bin/tsc`]);
  }
});
