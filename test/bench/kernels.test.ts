/** `npm run bench -- kernels` as its users run it, on little work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { GENERAL_GROUP, generalWorks } from '../../bench/general-works.ts';
import { BYTES_GROUP, type KernelWork, kernelWorks } from '../../bench/kernel-works.ts';
import { add, isPartial } from '../../bench/kernels.ts';
import { loweredKernels, namesOf } from '../../bench/lowered-kernels.ts';
import { exitCodeOf } from '../../cli/failures.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { setCurrentDevice, type Tensor, tensor } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { sharedDevice, take } from '../device.ts';
import { root, runTypeScript } from '../docs/run.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { LONG, noise } from '../kernels/problems.ts';
import { reportSchema } from './report-schema.ts';

const device = sharedDevice();

test('rows as JSON, tables as Markdown, the results of a partial run only where they are asked for', async () => {
  const folder = temporaryFolder();
  const [json, results] = [join(folder, 'rows.json'), join(folder, 'RESULTS.md')];
  const kept = join(root, 'bench/RESULTS.md');
  const before = existsSync(kept) ? readFileSync(kept, 'utf8') : undefined;
  const command = [
    'kernels',
    '--quick',
    '--crop',
    '16',
    '--samples',
    '2',
    '--only',
    '^SRResNet conv 3x3 64>64 |^Op.*lea',
  ];
  const printed = await runTypeScript('bench/main.ts', [...command, '--json', json, '--results', results]);
  const { rows, ceiling, adapter } = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
  expect(rows.map(({ work, pass }) => `${pass}: ${work}`)).toEqual([
    'forward: conv 3x3 64>64 on 1x64x4x4',
    'input-grad: conv 3x3 64>64 on 1x64x4x4',
    'weight-grad: conv 3x3 64>64 on 1x64x4x4',
    'forward: leaky ReLU on 1x64x16x16 (discriminator)',
    'input-grad: leaky ReLU on 1x64x16x16 (discriminator)',
  ]);
  const [forward] = rows;
  expect(forward.variant).toMatch(/^conv2d\.forward\./);
  // 2 operations for each of 16 pixels, 64 channels and 576 products.
  expect(forward.gflops! * forward.ms * 1e6).toBeCloseTo(2 * 16 * 64 * 576, -3);
  expect(rows[3]).toMatchObject({ gflops: null });
  expect(adapter.description).toBe(device().description.description);
  expect(ceiling.gflops).toBeGreaterThan(forward.gflops!);
  for (const text of [printed, readFileSync(results, 'utf8')]) {
    expect(text).toContain('### SRResNet\n\n| work ');
    expect(text).toContain('| conv 3x3 64>64 on 1x64x4x4 | forward ');
  }
  expect(existsSync(kept) ? readFileSync(kept, 'utf8') : undefined).toBe(before);
});

test('a run is whole where nothing is left out and the sizes are the paper’s', () => {
  const whole = { batch: 16, crop: 96 };
  expect(isPartial(whole)).toBe(false);
  for (const other of [{ batch: 1 }, { crop: 48 }, { only: /3x3/ }, { quick: true }])
    expect([other, isPartial({ ...whole, ...other })]).toEqual([other, true]);
});

test('what cannot be run is refused in one line', async () => {
  const refusal = async (...args: string[]): Promise<string> => {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    add(program);
    const error: unknown = await program.parseAsync(['kernels', ...args], { from: 'user' }).catch(thrown => thrown);
    setCurrentDevice(device());
    expect(exitCodeOf(error)).toBe(2);
    return (error as Error).message;
  };
  expect(await refusal('--only', '(')).toMatch(/--only.*argument '\('/);
  expect(await refusal('--crop', '40')).toBe('--crop: expected a multiple of 16, got 40.');
  expect(await refusal('--crop', '16', '--only', 'nothing like this')).toContain('matches none of');
});

/** The others differ in their sizes alone, and each kernel takes a second to compile. */
const isShort = ({ group, work }: KernelWork): boolean =>
  ['SRResNet', BYTES_GROUP, GENERAL_GROUP].includes(group) || /s2 64>64|dense 1024>1 /.test(work);

test('every piece of work compiles and gives finite numbers, by the kernels that it claims', async () => {
  for (const work of [...kernelWorks(1, 16, 130), ...generalWorks(1, 16)]) {
    if (!LONG && !isShort(work)) continue;
    const inputs = work.inputs.map((shape, i) => tensor(noise(sizeOf(shape), i), shape));
    const updated = (work.updates ?? []).map(shape => variable(new Float32Array(sizeOf(shape)), shape));
    const body = (...given: Tensor[]) => work.body(...given, ...updated);
    const compiled = compile(body);
    const results = compiled(...inputs);
    expect(compiled.programs[0].dispatches, work.work).toBe(loweredKernels(device(), work.inputs, body).length);
    const what = `${work.work} ${work.pass}`;
    if (updated.length > 0) expect((await updated[0].data()).every(Number.isFinite), what).toBe(true);
    for (const values of await take(results)) expect(values.every(Number.isFinite), what).toBe(true);
    compiled.dispose();
    for (const held of [...inputs, ...updated]) held.dispose();
  }
});

test('kernels are named without their sizes, repeats counted', () => {
  const named = (name: string) => ({ name, wgsl: '', bindings: [], workgroups: [1, 1, 1] as const });
  expect(namesOf([named('sum 3'), named('conv2d.forward.broadcast 3x3 64>64'), named('sum 4')])).toBe(
    'sum ×2, conv2d.forward.broadcast',
  );
});
