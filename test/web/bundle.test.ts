/** The same sources in a browser: what a bundler makes of them, and what Chromium computes with that. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { relativeError } from '../relative-error.ts';
import { findChromium, openPage } from './chromium.ts';
import { compute, type Results } from './computation.ts';

const root = resolve(import.meta.dirname, '../..');

/** Bundles a file, or the text of one in the root folder, the way the README says. */
async function bundle(from: { file: string } | { text: string }): Promise<{ code: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    ...('file' in from
      ? { entryPoints: [from.file] }
      : { stdin: { contents: from.text, resolveDir: root, loader: 'ts' as const } }),
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return { code: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

/** Each is a module but the shipped networks' files, which a page fetches. */
const doors = Object.keys(packageJson.exports)
  .filter(door => !door.includes('*'))
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
});

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
