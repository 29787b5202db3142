/** ONNX's operators that select, move and scatter elements. */

import type { Tensor } from '../../index.ts';
import * as ops from '../../index.ts';
import { type Inputs, refuse } from './inputs.ts';

export function slice(inputs: Inputs): Tensor {
  const shape = inputs.shape();
  const starts = inputs.ints('starts') ?? inputs.numbers(1)!;
  const ends = inputs.ints('ends') ?? inputs.numbers(2)!;
  const axes = (inputs.ints('axes') ?? inputs.numbers(3) ?? starts.map((_, i) => i)).map(a =>
    a < 0 ? a + shape.length : a,
  );
  const steps = inputs.numbers(4) ?? starts.map(() => 1);
  const [from, to, by] = [shape.map(() => 0), [...shape], shape.map(() => 1)];
  let x = inputs.at(0);
  axes.forEach((axis, i) => {
    const size = shape[axis];
    const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + size : v, low), high);
    if (steps[i] > 0) [from[axis], to[axis], by[axis]] = [clamp(starts[i], 0, size), clamp(ends[i], 0, size), steps[i]];
    else {
      const [first, last] = [clamp(starts[i], 0, size - 1), clamp(ends[i], -1, size - 1)];
      x = ops.flip(x, [axis]);
      [from[axis], to[axis], by[axis]] = [size - 1 - first, size - 1 - last, -steps[i]];
    }
  });
  if (from.some((f, i) => f >= to[i])) refuse('a dimension of 0');
  return ops.slice(x, from, to, by);
}

export function pad(inputs: Inputs): Tensor {
  const shape = inputs.shape();
  const pads = inputs.ints('pads') ?? inputs.numbers(1)!;
  const axes = (inputs.numbers(3) ?? shape.map((_, i) => i)).map(a => (a < 0 ? a + shape.length : a));
  const mode = { constant: 'constant', reflect: 'reflect', edge: 'replicate', wrap: 'circular' }[
    inputs.text('mode', 'constant')
  ];
  const padding = shape.map((_, i): [number, number] => {
    const j = axes.indexOf(i);
    return j < 0 ? [0, 0] : [pads[j], pads[axes.length + j]];
  });
  if (padding.flat().some(p => p < 0)) refuse('negative padding');
  const value = inputs.int('value', inputs.number(2) ?? 0);
  return ops.pad(inputs.at(0), padding, mode === 'constant' ? { value } : { mode: mode as 'reflect' });
}

export function gather(inputs: Inputs): Tensor {
  const axis = inputs.int('axis', 0);
  const size = inputs.shape().at(axis)!;
  const index = inputs.at(1);
  const wrapped = ops.where(ops.less(index, 0), ops.add(index, size), index);
  const [x, at] = [inputs.at(0), axis < 0 ? axis + inputs.shape().length : axis];
  const rows = ops.indexSelect(x, at, ops.reshape(wrapped, [-1]));
  return ops.reshape(rows, [...x.shape.slice(0, at), ...index.shape, ...x.shape.slice(at + 1)]);
}

export function elements(inputs: Inputs): [Tensor, Tensor, number] {
  const axis = inputs.int('axis', 0);
  const size = inputs.shape().at(axis)!;
  const index = inputs.at(1);
  return [inputs.at(0), ops.where(ops.less(index, 0), ops.add(index, size), index), axis];
}

export function scatter(inputs: Inputs): Tensor {
  const how = inputs.text('reduction', 'none');
  const [x, index, axis] = elements(inputs);
  if (how === 'add') return ops.scatterAdd(x, axis, index, inputs.at(2));
  if (how !== 'none') refuse(`scatter by ${how}`);
  // Distinct indices: the old values are taken off.
  const old = ops.gather(x, axis, index);
  return ops.scatterAdd(x, axis, index, ops.sub(inputs.at(2), old));
}
