/** The package, packed and installed outside of the clone: what Node, TypeScript, a bundler and the linters of packages make of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decode, encodePng } from '#codec';
import packageJson from '../../package.json' with { type: 'json' };
import { blocks, documents } from '../docs/documents.ts';
import { filesOf, type Installed, install, node, pack, readIn, root } from './installed.ts';

let installed: Installed;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'daybreak-package-'));
  installed = install(folder, pack(folder), ['@types/node', 'esbuild']);
}, 300_000);

afterAll(() => rmSync(installed.folder, { recursive: true, force: true }));

const doors = Object.keys(packageJson.exports)
  .filter(door => !/[*]|json$/.test(door))
  .map(door => door.replace('.', 'daybreak'));

describe('the tarball', () => {
  test('has what runs and its declarations, and nothing of tests, benchmarks and documents', () => {
    const files = filesOf(installed);
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'cli/bin.mjs', 'dist/index.js', 'dist/index.d.ts']),
    );
    const wanted = /^(README\.md|LICENSE|CHANGELOG\.md|package\.json|cli\/bin\.mjs|dist\/.*\.(m?js|js\.map|d\.ts))$/;
    const assets = /^dist\/(models\/pretrained\/\w+\.(md|json|safetensors)|mos\/page\/\w+\.(svg|html|css))$/;
    expect(files.filter(file => !wanted.test(file) && !assets.test(file))).toEqual([]);
    expect(files.filter(file => /(^|\/)(test|scripts|docs|examples|peers)\//.test(file))).toEqual([]);
  });

  test('has no references and samples of operations, and no statement that some browsers cannot parse', () => {
    const code = filesOf(installed).filter(file => file.endsWith('.js'));
    for (const file of code) {
      const text = readIn(installed, file);
      expect(text, file).not.toMatch(/^\s*(await )?using \w+ =/m);
      // A specification registers itself; only tests call for it.
      if (!file.endsWith('specify.js') && !file.includes('specify-elementwise'))
        expect(text, file).not.toMatch(/\bspecify(Function|Elementwise)?\(\w*,? ?\(\) =>/);
    }
  });

  test('is as large as its networks and one megabyte', () => {
    expect(statSync(installed.tarball).size / 1e6).toBeLessThan(2.4);
  });
});

describe('linters of packages', () => {
  test('publint', async () => {
    const { messages } = await publint({ pkgDir: installed.package, strict: true });
    expect(messages.map(message => formatMessage(message, packageJson))).toEqual([]);
  });

  test('are the types wrong', () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    // ESM alone: Node 20.19 and later also load it by require().
    const out = node(installed, [attw, installed.tarball, '--profile', 'esm-only', '--no-color']);
    // It fails for a problem; all modules and package.json were looked at.
    expect(out.match(/node16 \(from ESM\): 🟢/g)).toHaveLength(doors.length + 1);
  });
});

describe('Node', () => {
  const snippet = blocks(documents[0], 'js')[0];

  test('runs the README’s first program, word for word', () => {
    writeFileSync(join(installed.folder, 'app.mjs'), snippet);
    const [, said] = /\/\/ (\d[\d ]*)/.exec(snippet)!;
    expect(node(installed, ['app.mjs']).trim()).toBe(said);
  });

  test('loads every door, by import and by require', () => {
    writeFileSync(
      join(installed.folder, 'doors.cjs'),
      `const names = ${JSON.stringify(doors)};
       Promise.all(names.map(name => import(name))).then(all =>
         console.log(all.every((one, i) => Object.keys(one).length > 0 && require(names[i]) === one)));`,
    );
    expect(node(installed, ['--no-warnings', 'doors.cjs']).trim()).toBe('true');
  });

  test('loads it where Symbol.dispose is missing', () => {
    writeFileSync(
      join(installed.folder, 'old.mjs'),
      `const real = Symbol;
       const without = (...args) => real(...args);
       for (const key of Reflect.ownKeys(real))
         if (!['dispose', 'asyncDispose', 'length', 'name', 'prototype'].includes(key)) without[key] = real[key];
       globalThis.Symbol = without;
       const { Device, init, Tensor, tensor } = await import('daybreak');
       const device = await init();
       const x = tensor([1, 2]);
       console.log(typeof Tensor.prototype[Symbol.dispose], typeof Device.prototype[Symbol.dispose], ...(await x.data()));
       x[Symbol.dispose]();
       device.dispose();`,
    );
    expect(node(installed, ['old.mjs']).trim()).toBe('function function 1 2');
  });

  test('runs the command line from the build', () => {
    const bin = join(installed.package, 'cli/bin.mjs');
    expect(node(installed, [bin, '--version']).trim()).toBe(packageJson.version);
    expect(node(installed, [bin, 'models'])).toContain('srresnet');
  });

  test('upscales a picture by the command line, with the shipped network, its threads and the codec', async () => {
    const picture = { width: 12, height: 9, channels: 3 as const, data: new Uint8Array(12 * 9 * 3).fill(99) };
    writeFileSync(join(installed.folder, 'small.png'), await encodePng(picture));
    node(installed, [join(installed.package, 'cli/bin.mjs'), 'upscale', 'small.png', '-o', 'large.png']);
    const { width, height } = await decode(readFileSync(join(installed.folder, 'large.png')), 'large.png');
    expect([width, height]).toEqual([48, 36]);
  });
});

describe('the upscaling service of the examples', () => {
  const start = async (env: NodeJS.ProcessEnv) => {
    copyFileSync(join(root, 'examples/upscaling-service/server.mjs'), join(installed.folder, 'server.mjs'));
    const child = spawn(process.execPath, ['server.mjs'], {
      cwd: installed.folder,
      env: { ...process.env, PORT: '0', ...env },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += String(data)));
    await expect.poll(() => output, { timeout: 30_000 }).toMatch(/http:\S+\n/);
    const [address] = /http:\S+/.exec(output)!;
    const post = (body: string | Uint8Array<ArrayBuffer>, signal?: AbortSignal) =>
      fetch(`${address}/upscale`, { method: 'POST', body, ...(signal && { signal }) });
    return { child, address, post };
  };
  const picture = async (width: number, height: number) =>
    new Uint8Array(await encodePng({ width, height, channels: 3, data: new Uint8Array(width * height * 3).fill(120) }));

  test('answers with a larger picture, says what is wrong, and ends when it is told', async () => {
    const { child, post, address } = await start({ MAX_PIXELS: '500', MAX_BYTES: '3000' });
    const answer = await post(await picture(12, 9));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    const { width, height } = await decode(new Uint8Array(await answer.arrayBuffer()), 'answer');
    expect([width, height]).toEqual([48, 36]);
    expect((await post('not a picture')).status).toBe(415);
    expect((await post(await picture(30, 30))).status).toBe(413);
    expect((await post(new Uint8Array(5000))).status).toBe(413);
    expect(await (await fetch(`${address}/health`)).json()).toMatchObject({ waiting: 0 });
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
  });

  test('drops the jobs of clients that have gone, and those beyond the queue', async () => {
    const { post, address } = await start({ MAX_QUEUE: '2' });
    const large = await picture(160, 120);
    const controller = new AbortController();
    const gone = post(large, controller.signal).catch((error: unknown) => (error as Error).name);
    const waiting = async () => ((await (await fetch(`${address}/health`)).json()) as { waiting: number }).waiting;
    await expect.poll(waiting).toBe(1);
    const second = post(await picture(8, 8));
    await expect.poll(waiting).toBe(2);
    expect((await post(await picture(8, 8))).status).toBe(503);
    controller.abort();
    expect(await gone).toBe('AbortError');
    expect((await second).status).toBe(200);
    expect(await waiting()).toBe(0);
  });
});

const PROGRAM = `import { compile, type DType, grad, init, sum, type Tensor, tensor, tidy } from 'daybreak';
import { benchmark } from 'daybreak/bench';
import { upscalePicture } from 'daybreak/eval';
import { defineOp } from 'daybreak/extend';
import { decode } from 'daybreak/image';
import { decodeModel } from 'daybreak/models';
import { Adam, Linear, Module } from 'daybreak/nn';
import { Trainer } from 'daybreak/train';

class Net extends Module {
  readonly first = new Linear(2, 3);
  forward(x: Tensor): Tensor {
    return this.first.forward(x);
  }
}

export async function main(): Promise<Float32Array> {
  const device = await init();
  const net = new Net();
  const adam = new Adam(net.parameters(), { lr: 1e-3 });
  const step = compile((x: Tensor) => {
    const loss = sum(net.forward(x));
    adam.update(grad(loss, net.parameters()));
    return loss;
  });
  const type: DType = 'i32';
  const loss = step(tensor([1, 2], [1, 2]));
  const limit: number = device.gpu.limits.maxBufferSize;
  return tidy(() => loss).dtype === type ? new Float32Array(limit) : await loss.data();
}
export { benchmark, decode, decodeModel, defineOp, Trainer, upscalePicture };
`;

describe('TypeScript', () => {
  const { ModuleKind: M, ModuleResolutionKind: R } = ts;
  test.each([
    ['nodenext', 'Node', M.NodeNext, R.NodeNext, ['lib.es2023.d.ts'], ['node']],
    ['nodenext', 'a page', M.NodeNext, R.NodeNext, ['lib.es2022.d.ts', 'lib.dom.d.ts'], []],
    ['bundler', 'Node', M.ESNext, R.Bundler, ['lib.es2023.d.ts'], ['node']],
    ['bundler', 'a page', M.ESNext, R.Bundler, ['lib.es2022.d.ts', 'lib.dom.d.ts'], []],
  ] as const)('%s, for %s', (_, __, module, moduleResolution, lib, types) => {
    mkdirSync(join(installed.folder, 'types'), { recursive: true });
    const file = join(installed.folder, 'types/use.ts');
    writeFileSync(file, PROGRAM);
    for (const skipLibCheck of [true, false]) {
      const program = ts.createProgram([file], {
        module,
        moduleResolution,
        skipLibCheck,
        lib: [...lib],
        types: [...types],
        typeRoots: [join(installed.folder, 'node_modules/@types')],
        target: ts.ScriptTarget.ES2022,
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
      });
      // What @webgpu/types and a library declare twice is between them.
      const ours = ts
        .getPreEmitDiagnostics(program)
        .filter(({ file }) => !file || /daybreak\/dist|use\.ts$/.test(file.fileName));
      expect(ours.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
    }
  });
});

describe('a bundle for a page', () => {
  /** Bytes of a minified, compressed bundle. */
  async function sizeOf(code: string): Promise<number> {
    const { outputFiles } = await build({
      stdin: { contents: code, resolveDir: installed.folder },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      minify: true,
      charset: 'utf8',
      write: false,
    });
    return gzipSync(outputFiles[0].contents).length;
  }

  test.each([
    ['a convolution', 38, `import { conv2d, init, tensor } from 'daybreak'; console.log(init, tensor, conv2d);`],
    [
      'an upscaler',
      79,
      `import { init } from 'daybreak'; import { upscalePicture } from 'daybreak/eval'; import { decode, encodePng } from 'daybreak/image';
       import { decodeModel, NetworkUpscaler } from 'daybreak/models'; console.log(init, upscalePicture, decode, encodePng, decodeModel, NetworkUpscaler);`,
    ],
    ['all operations', 80, `export * from 'daybreak';`],
  ])('%s is smaller than %d kB', async (_, limit, code) => {
    expect((await sizeOf(code)) / 1000).toBeLessThan(limit);
  });
});
