/** The same sources in a browser: what a bundler makes of them, and what Chromium computes with that. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { specified } from '../kernels/specified.ts';
import { relativeError } from '../relative-error.ts';
import { findChromium, openPage } from './chromium.ts';
import { compute, type Results } from './computation.ts';

const root = resolve(import.meta.dirname, '../..');

/** The package's own names as package.json means them for a browser, but in the sources. */
const sources: Plugin = {
  name: 'sources',
  setup({ onResolve }) {
    const { exports, imports } = packageJson;
    const names: Imports = {
      ...imports,
      ...Object.fromEntries(Object.entries(exports).map(([door, to]) => [door.replace('.', 'daybreak'), to])),
    };
    onResolve({ filter: /^(#|daybreak)/ }, ({ path }) => {
      if (!(path in names)) return { errors: [{ text: `no ${path} in package.json` }] };
      return {
        path: resolve(
          root,
          fileOf(names[path])
            .replace(/^\.\/dist\//, '')
            .replace(/\.js$/, '.ts'),
        ),
      };
    });
  },
};

type Target = string | { readonly default: Target };
type Imports = Readonly<Record<string, Target>>;

/** What a condition that every bundler knows leads to. */
const fileOf = (target: Target): string => (typeof target === 'string' ? target : fileOf(target.default));

/** Bundles a file, or the text of one in the root folder, the way the README says. `shipped`: the files of which something is left. */
async function bundle(
  from: { file: string } | { text: string },
  options: BuildOptions = {},
): Promise<{ code: string; inputs: string[]; shipped: string[] }> {
  const { outputFiles, metafile } = await build({
    ...('file' in from
      ? { entryPoints: [from.file] }
      : { stdin: { contents: from.text, resolveDir: root, loader: 'ts' as const } }),
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    plugins: [sources],
    tsconfigRaw: '{}',
    write: false,
    metafile: true,
    logLevel: 'silent',
    ...options,
  });
  const [{ inputs }] = Object.values(metafile!.outputs);
  const shipped = Object.keys(inputs).filter(file => inputs[file].bytesInOutput > 0);
  return { code: outputFiles![0].text, inputs: Object.keys(metafile!.inputs), shipped };
}

/** Each is a module but the shipped networks' files, which a page fetches. */
const doors = Object.keys(packageJson.exports)
  .filter(door => !/[*]|json$/.test(door))
  .map(door => door.replace('.', 'daybreak'));

test.each(doors)('%s bundles for a browser, without anything of Node', async door => {
  // A module of Node's that were reached would fail the build: esbuild finds none for a browser.
  const { inputs } = await bundle({ text: `export * from '${door}';` });
  expect(inputs.length).toBeGreaterThan(5);
  expect(inputs.filter(file => file.endsWith('.node.ts'))).toEqual([]);
  // All that the page needs is ours: no package comes along unnoticed.
  expect(inputs.filter(file => file.includes('node_modules'))).toEqual([]);
});

test('a Node module in the bundle would be found', async () => {
  await expect(bundle({ text: `export * from './image/files.node.ts';` })).rejects.toThrow(/Could not resolve "node:/);
});

/** Files of which only specifications use anything. */
const FOR_TESTS = [
  'engine/specify.ts',
  'kernels/references.ts',
  'kernels/elementwise/specify-elementwise.ts',
  'kernels/products/conv2d/reference.ts',
];
const MINIFIED: BuildOptions = { minify: true, charset: 'utf8' };
const CONVOLUTION = `import { conv2d, grad, init, sum, tensor } from 'daybreak';
await init();
const [x, weight] = [tensor([1, 2], [1, 1, 1, 2]), tensor([3], [1, 1, 1, 1], { requiresGrad: true })];
console.log(await grad(sum(conv2d(x, weight)), [weight])[0].data());`;

/** The operations whose specification is part of a minified bundle: its summary stands there word for word. */
const specifiedIn = (code: string): string[] =>
  specified.flatMap(({ name, summary }) => (code.includes(JSON.stringify(summary)) ? [name] : []));

test.each([
  ['a convolution and its gradient', CONVOLUTION],
  ...doors.map(door => [`all of ${door}`, `export * from '${door}';`]),
])('%s bundles without references and samples', async (_, text) => {
  const { code, shipped } = await bundle({ text }, MINIFIED);
  expect(shipped.filter(file => FOR_TESTS.includes(file))).toEqual([]);
  expect(specifiedIn(code)).toEqual([]);
});

test('references and samples in the bundle would be found', async () => {
  const { code, shipped } = await bundle({ text: CONVOLUTION }, { ...MINIFIED, ignoreAnnotations: true });
  expect(shipped).toEqual(expect.arrayContaining(FOR_TESTS));
  expect(specifiedIn(code)).toContain('conv2d');
});

test('the operations that a page does not use are left out', async () => {
  const { code } = await bundle({ text: CONVOLUTION }, MINIFIED);
  expect(code).toContain('"conv2d"');
  for (const { name, operation } of specified)
    if (operation && /softplus|where|concat|Pool|adam|crops|batch/.test(name)) expect(code).not.toContain(`"${name}"`);
});

test('the README says how large it is', async () => {
  const { code } = await bundle({ text: `export * from 'daybreak';` }, MINIFIED);
  const [, said] = /\((\d+) kB of `daybreak`/.exec(readFileSync(resolve(root, 'README.md'), 'utf8'))!;
  expect(Math.abs(gzipSync(code).length / 1000 / Number(said) - 1)).toBeLessThan(0.1);
});

const chromium = findChromium();

test('Chromium computes what Node computes', async ({ skip, signal }) => {
  skip(!chromium, 'no Chromium on the PATH: install one, or name it in DAYBREAK_CHROMIUM');
  const { code } = await bundle({ file: 'test/web/page.ts' });
  const { results, problem } = await open(chromium!, code, signal);
  expect(problem).toBeUndefined();
  const here = await compute();
  expect(Object.keys(results!.numbers)).toEqual(Object.keys(here.numbers));
  for (const [name, numbers] of Object.entries(here.numbers)) {
    expect(relativeError(results!.numbers[name], numbers), `${name} on ${results!.adapter}`).toBeLessThan(1e-5);
  }
  expect(here.numbers.losses[2]).toBeLessThan(here.numbers.losses[0]);
}, 400_000);

/** Serves a page with this script from 127.0.0.1, opens it and waits for what it posts. */
async function open(
  chromium: string,
  script: string,
  signal: AbortSignal,
): Promise<{ results?: Results; problem?: string }> {
  let deliver: (outcome: string) => void = () => {};
  const posted = new Promise<string>(resolve => {
    deliver = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') deliver(await text(request));
    const [type, body] =
      request.url === '/page.js'
        ? ['text/javascript', script]
        : ['text/html', '<!doctype html><script type="module" src="page.js"></script>'];
    response.setHeader('content-type', `${type}; charset=utf-8`).end(body);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  try {
    await using page = openPage(chromium, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, signal);
    return JSON.parse(await Promise.race([posted, page.ended]));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
