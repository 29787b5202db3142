/**
 * Runs ONNX's own operator tests on Daybreak's operations, node by node:
 *
 *     python scripts/onnx/export.py > cases.jsonl   # needs the package onnx
 *     npx tsx scripts/onnx/run.ts cases.jsonl
 *
 * Prints how many are right, wrong, and cannot be expressed (another type, a dimension of 0, an operator that Daybreak lacks).
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { init, type Tensor, tidy } from '../../index.ts';
import { type Attributes, type HostArray, Inexpressible, Inputs, numbersOf } from './inputs.ts';
import { OPERATORS } from './operators.ts';

interface Case {
  readonly name: string;
  readonly rtol: number;
  readonly atol: number;
  readonly opset: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, HostArray>>;
  readonly outputs: Readonly<Record<string, HostArray>>;
  readonly constants: Readonly<Record<string, HostArray>>;
  readonly nodes: readonly {
    readonly op: string;
    readonly domain: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes: Attributes;
  }[];
  readonly functions: number;
}

const ONNX_TYPES = { f32: 'float32', i32: 'int64', u32: 'uint32', bool: 'bool' } as const;

async function download(tensor: Tensor): Promise<HostArray> {
  const { dtype, shape } = tensor;
  try {
    const data = [...(await tensor.elements())].map(value =>
      Number.isNaN(value)
        ? null
        : value === Infinity
          ? ('inf' as const)
          : value === -Infinity
            ? ('-inf' as const)
            : value,
    );
    return { dtype: ONNX_TYPES[dtype], shape, data };
  } finally {
    tensor.dispose();
  }
}

/** The results of a test's graph by name. Throws Inexpressible. */
async function compute(one: Case): Promise<Map<string, HostArray>> {
  if (one.functions > 0) throw new Inexpressible('functions');
  const values = new Map<string, HostArray>(Object.entries({ ...one.constants, ...one.inputs }));
  for (const { op, domain, inputs, outputs, attributes } of one.nodes) {
    const operator = domain === '' ? OPERATORS[op] : undefined;
    if (!operator) throw new Inexpressible(`operator ${domain && `${domain}.`}${op}`);
    const given = inputs.map(name => {
      if (name === '') return undefined;
      const value = values.get(name);
      if (!value) throw new Inexpressible(`input ${name}`);
      return value;
    });
    const results = tidy(() => [operator(new Inputs(given, attributes, outputs.length, one.opset[''] ?? 99))].flat());
    for (const [i, name] of outputs.entries()) {
      if (name === '') continue;
      if (!results[i]) throw new Inexpressible(`output ${i} of ${op}`);
      values.set(name, await download(results[i]));
    }
  }
  return values;
}

/** Why a result is wrong, or undefined. */
function difference(got: HostArray, wanted: HostArray, { rtol, atol }: Case): string | undefined {
  if (got.shape.join() !== wanted.shape.join()) return `shape [${got.shape}], not [${wanted.shape}]`;
  const [a, b] = [numbersOf(got), numbersOf(wanted)];
  for (const [i, value] of b.entries()) {
    const isRight =
      Object.is(a[i], value) ||
      a[i] === value ||
      Math.abs(a[i] - value) <= atol + rtol * Math.abs(value) ||
      (Number.isNaN(a[i]) && Number.isNaN(value));
    if (!isRight) return `${a[i]} at ${i}, not ${value}`;
  }
  return undefined;
}

const [file] = process.argv.slice(2);
if (!file) {
  process.stderr.write('usage: npx tsx scripts/onnx/run.ts CASES.jsonl\n');
  process.exit(2);
}
using _ = await init({ kernels: 'plain' });
const reasons = new Map<string, number>();
const wrong: string[] = [];
const right = { all: 0, single: 0 };
let all = 0;
for await (const line of createInterface({ input: createReadStream(file) })) {
  const one = JSON.parse(line) as Case;
  all++;
  try {
    for (const output of Object.values(one.outputs)) numbersOf(output);
    const values = await compute(one);
    const problems = Object.entries(one.outputs).flatMap(([name, wanted]) => {
      const got = values.get(name);
      const problem = got ? difference(got, wanted, one) : 'missing';
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
    if (problems.length > 0) wrong.push(`${one.name}: ${problems.join('; ')}`);
    else {
      right.all++;
      if (!one.name.includes('_expanded')) right.single++;
    }
  } catch (error) {
    if (!(error instanceof Inexpressible)) wrong.push(`${one.name}: ${error}`);
    else reasons.set(error.message, (reasons.get(error.message) ?? 0) + 1);
  }
}
for (const line of wrong) console.log(`wrong ${line}`);
const most = [...reasons].sort(([, a], [, b]) => b - a);
console.log(most.map(([reason, count]) => `${count} ${reason}`).join(', '));
console.log(
  `${right.all} of ${all} right (${right.single} without the expanded ones), ${wrong.length} wrong, ${most.reduce((sum, [, count]) => sum + count, 0)} not expressible`,
);
