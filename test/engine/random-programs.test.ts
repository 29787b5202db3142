/**
 * Random programs: whatever operations follow each other, with views, variables and results in between, compiled they
 * give what they give uncompiled. This is the test of all passes together: fusion, lowering, memory plan, replay.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import * as ops from '../../kernels/index.ts';
import { pack, packLayout, part } from '../../kernels/movement/pack.ts';
import { sharedDevice, take } from '../device.ts';
import { LONG, noise, SEED } from '../kernels/problems.ts';
import { relativeError } from '../relative-error.ts';

const device = sharedDevice();

/** What a step may see: the tensors so far and a source of choices. */
interface Scope {
  readonly values: readonly Tensor[];
  readonly variables: readonly Variable[];
  pick<T>(options: readonly T[]): T;
}

/** Something already computed of the same shape as `x`, which is always there: x itself. */
const like = ({ values, pick }: Scope, x: Tensor) =>
  pick(values.filter(y => y.shape.length === x.shape.length && y.shape.every((size, axis) => size === x.shape[axis])));

const flat = (x: Tensor) => ops.reshape(x, [x.size]);
/** The whole in two dimensions. */
const square = (x: Tensor) => ops.reshape(x, [x.shape[0] ?? 1, x.size / (x.shape[0] ?? 1)]);

/** Steps whose results stay of moderate size. */
const steps: Readonly<Record<string, (x: Tensor, scope: Scope) => Tensor>> = {
  neg: ops.neg,
  tanh: ops.tanh,
  relu: ops.relu,
  half: x => ops.mul(x, 0.5),
  shift: x => ops.add(x, 0.25),
  squareTanh: x => ops.square(ops.tanh(x)),
  add: (x, scope) => ops.add(x, like(scope, x)),
  sub: (x, scope) => ops.sub(like(scope, x), x),
  mul: (x, scope) => ops.mul(ops.tanh(x), like(scope, x)),
  where: (x, scope) => ops.where(ops.relu(x), like(scope, x), ops.neg(x)),
  variable: (x, { variables, pick }) => ops.add(ops.mean(pick(variables)), x),
  center: x => ops.sub(x, ops.mean(x)),
  rows: x => ops.add(square(x), ops.mean(square(x), { axes: [1], keepDims: true })),
  columns: x => ops.mean(square(x), { axes: [0] }),
  flat,
  square,
  transpose: x => ops.transpose(square(x)),
  concat: (x, scope) => (x.size > 200 ? x : ops.concat([x, like(scope, x)])),
  slice: x => ops.slice(flat(x), [Math.floor(x.size / 3)], [x.size]),
  pad: x => (x.size > 200 ? x : ops.pad(flat(x), [[1, 2]])),
  matmul: x => ops.tanh(ops.matmul(square(x), ops.transpose(square(x)))),
  stretch: x => (x.size > 100 ? x : ops.broadcastTo(flat(x), [2, x.size])),
  pack: (x, scope) => (x.size > 200 ? x : pack([x, like(scope, x), ops.neg(x)])),
  part: (x, scope) => {
    const shapes = [x.shape, x.shape];
    return part(pack([ops.neg(x), like(scope, x)]), packLayout(shapes).offsets[1], x.shape);
  },
  gradient: (x, { variables }) => {
    // Through a variable, so that it is recorded whatever x is.
    const y = ops.tanh(ops.add(x, ops.mean(variables[0])));
    return ops.grad(ops.sum(ops.square(y)), [y])[0];
  },
};

interface Plan {
  readonly steps: readonly { readonly name: string; readonly on: number; readonly choice: number }[];
  /** Which values are results, and which variable is assigned after which step. */
  readonly results: readonly number[];
  readonly assigned: readonly { readonly variable: number; readonly after: number }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(fc.record({ name: fc.constantFrom(...Object.keys(steps)), on: fc.nat(), choice: fc.nat() }), {
    minLength: 1,
    maxLength: 14,
  }),
  results: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  assigned: fc.array(fc.record({ variable: fc.nat({ max: 1 }), after: fc.nat() }), { maxLength: 2 }),
});

const SHAPES = [[4, 6], [4, 6], [24], [1, 3, 2, 2]];

/** Runs a plan on whatever it is given; the same calls each time. */
function run(plan: Plan, variables: readonly Variable[], inputs: readonly Tensor[]): Tensor[] {
  const values: Tensor[] = [...inputs];
  plan.steps.forEach(({ name, on, choice }, i) => {
    let turn = choice;
    const pick = <T>(options: readonly T[]): T => options[turn++ % options.length];
    // Late values more often: programs shall be deep.
    const x = values[values.length - 1 - (on % Math.min(values.length, 3))];
    values.push(steps[name](x, { values, variables, pick }));
    for (const { variable, after } of plan.assigned)
      if (after % plan.steps.length === i)
        variables[variable].assign(shaped(values[values.length - 1], variables[variable]));
  });
  return plan.results.map(result => values[result % values.length]);
}

/** Something of the variable's shape that depends on all of x. */
const shaped = (x: Tensor, target: Variable): Tensor => ops.add(ops.mul(target, 0.5), ops.mean(x));

test(`random programs`, () =>
  fc.assert(
    fc.asyncProperty(plans, async plan => {
      const start = device().memory.figures().live;
      const make = () => [variable(noise(5, 1), [5]), variable(noise(6, 2), [2, 3])];
      const [mine, theirs] = [make(), make()];
      const compiled = compile((...inputs: Tensor[]) => run(plan, mine, inputs), { baked: false });
      // Twice, with other numbers: the second is a replay.
      for (const round of [0, 1]) {
        const inputs = SHAPES.map((shape, i) =>
          tensor(noise(sizeOf(shape), 10 * round + i + 20), shape, { requiresGrad: true }),
        );
        const expected = await take(tidy(() => run(plan, theirs, inputs).map(result => result.alias())));
        const got = await take(compiled(...inputs));
        got.forEach((values, i) => {
          expect(relativeError(values, expected[i]), `result ${i}, round ${round}`).toBeLessThan(1e-5);
        });
        for (const input of inputs) input.dispose();
      }
      const states = [await take(mine), await take(theirs)];
      states[0].forEach((values, i) => {
        expect(relativeError(values, states[1][i]), `variable ${i}`).toBeLessThan(1e-5);
      });
      compiled.dispose();
      expect(device().memory.figures().live, 'memory left').toBe(start);
    }),
    { seed: SEED, numRuns: LONG ? 400 : 60, endOnFailure: !LONG },
  ));
