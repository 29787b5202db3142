/** Where gradients stop, and where they follow a rule of one's own. */
import { apply, noGrad } from '../engine/apply.ts';
import { ArgumentError, nameOf, ShapeError } from '../engine/basics/errors.ts';
import { formatShape, sameShape } from '../engine/basics/shape.ts';
import { setGradient } from '../engine/define.ts';
import { viewOf } from '../engine/graph/memory-operations.ts';
import { requireTensors } from '../engine/require.ts';
import { Tensor, tidy } from '../engine/tensor.ts';

const detachOp = /* @__PURE__ */ viewOf('detach');

/** x as a constant: no gradient flows back through it. Shares x's memory. PyTorch's `detach`. */
export function detach(x: Tensor): Tensor {
  requireTensors('detach', x);
  return noGrad(() => apply(detachOp, [x], {})[0]);
}

/** An operation's result and its gradient, for {@link customGradient}. */
export interface CustomGradient {
  /** Computes the result. It is not recorded: only `backward` counts. */
  forward(...inputs: readonly Tensor[]): Tensor;
  /**
   * The loss's gradient with respect to each input, in order; null for inputs that get none.
   * @param gradient of the loss with respect to the result.
   */
  backward(gradient: Tensor, output: Tensor, ...inputs: readonly Tensor[]): readonly (Tensor | null)[];
}

/**
 * A function of `inputs` with a gradient of one's own, such as a straight-through estimator:
 *
 *     const rounded = customGradient([x], { forward: x => round(x), backward: gradient => [gradient] });
 *
 * If `backward` is made of differentiable operations, so is the gradient. PyTorch's `autograd.Function`. Tensors that the
 * functions capture instead of taking them as inputs get no gradient.
 */
export function customGradient(inputs: readonly Tensor[], { forward, backward }: CustomGradient): Tensor {
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new ArgumentError('customGradient', `expected an array of at least one tensor, got ${nameOf(inputs)}.`);
  requireTensors('customGradient', ...inputs);
  return tidy(() => {
    const output = noGrad(() => forward(...inputs));
    if (!(output instanceof Tensor))
      throw new ArgumentError('customGradient', `expected forward to return a tensor, got ${nameOf(output)}.`);
    // An input given back as it is would be differentiated as itself.
    const result = inputs.includes(output) ? detach(output) : output;
    const operation = viewOf('customGradient');
    setGradient(operation, ({ inputs: [, ...given], outputs: [y], grads: [gradient] }) => {
      const gradients = backward(gradient!, y, ...given);
      if (!Array.isArray(gradients) || gradients.length !== given.length)
        throw new ArgumentError(
          'customGradient',
          `expected backward to return ${given.length} gradients, one per input, got ${Array.isArray(gradients) ? gradients.length : nameOf(gradients)}.`,
        );
      gradients.forEach((one, i) => {
        if (one && !sameShape(one.shape, given[i].shape))
          throw new ShapeError(
            'customGradient',
            `expected a gradient of shape ${formatShape(given[i].shape)} for input ${i}, got ${formatShape(one.shape)}.`,
          );
      });
      return [null, ...gradients];
    });
    return apply(operation, [result, ...inputs], {})[0];
  });
}
