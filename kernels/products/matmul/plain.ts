/** Reference kernel: each invocation computes one output element. Any size; slow: each multiply-add waits for two loads. */
import { ACCUMULATION, BLOCK, emptySum } from '../../../engine/text/accumulate.ts';
import { assembleElements } from '../../../engine/text/assemble.ts';
import { input, output } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import type { Variant } from '../../../engine/text/variants.ts';
import { batchText, countOf, describe, type MatmulProblem, matrixStrides } from './problem.ts';

export const plain: Variant<MatmulProblem> = {
  name: 'plain',
  accepts: () => true,
  lower(problem, traits) {
    const { m, k, n, baked } = problem;
    const { a, b } = matrixStrides(problem);
    const batch = batchText(problem, 'index / (m * n)');
    const elements = countOf(problem) * m * n;
    // Four independent sums for pipelining, flushed regularly for precision.
    const body = `${batch.statements}${problem.batch ? 'let row = index / n % m;' : 'let row = index / n;'} let column = index % n;
  let stepA = ${a.inner}; let stepB = ${b.inner};
  var p = ${batch.a}row * ${a.row}; var q = ${batch.b}column * ${b.column};
  var sum = ${emptySum('a')};
  for (var i = 0; i + 4 <= k;) {
    var sums = vec4f();
    let stop = min(k - 3, i + ${4 * BLOCK});
    for (; i < stop; i += 4) {
      sums += vec4f(a[p], a[p + stepA], a[p + 2 * stepA], a[p + 3 * stepA])
            * vec4f(b[q], b[q + stepB], b[q + 2 * stepB], b[q + 3 * stepB]);
      p += 4 * stepA; q += 4 * stepB;
    }
    addTo(&sum, (sums.x + sums.y) + (sums.z + sums.w));
  }
  for (var i = k - k % 4; i < k; i++) {
    addTo(&sum, a[p] * b[q]);
    p += stepA; q += stepB;
  }
  result[index] = totalOf(sum);`;
    const kernel = assembleElements(
      {
        name: `matmul.plain ${describe(problem)}`,
        reads: ['a', 'b'],
        declarations: ACCUMULATION,
        numbers: new Numbers(baked, { m, k, n, ...(problem.batch && { elements }), ...batch.sizes }),
        elements,
        count: problem.batch ? 'elements' : 'm * n',
        heavy: true,
        body,
      },
      traits,
    );
    return { steps: [{ kernel, operands: [input(0), input(1), output(0)] }], scratch: [] };
  },
};
