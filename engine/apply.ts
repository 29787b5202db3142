/** Applies operations. Inside a trace a node is recorded; otherwise a program of one node runs at once. */

import { DaybreakError, TraceError } from './basics/errors.ts';
import { LruCache } from './basics/lru-cache.ts';
import { sizeOf, type TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import { checkTypes } from './graph/element-types.ts';
import { keyOf } from './graph/key.ts';
import type { Attributes, Operation } from './graph/operation.ts';
import { activeTrace, Trace } from './graph/trace.ts';
import { Node, Value } from './graph/value.ts';
import { lower } from './program/lower.ts';
import { Program } from './program/program.ts';
import { requireTensors } from './require.ts';
import { Tensor } from './tensor.ts';

let recording = true;

/** Runs `body` without recording gradients: nothing inside can be differentiated, and no memory is kept for it. */
export function noGrad<T>(body: () => T): T {
  const before = recording;
  recording = false;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/** Size of each device's cache of one-node programs. */
const PROGRAMS_KEPT = 2048;
const programs = new WeakMap<Device, LruCache<string, Program>>();

/**
 * Applies `operation` to tensors of one device and returns its outputs. An operation without inputs needs the device, unless a
 * function is traced.
 */
export function apply<A extends Attributes>(
  operation: Operation<A>,
  inputs: readonly Tensor[],
  attributes: A,
  deviceWithoutInputs?: Device,
): Tensor[] {
  const trace = activeTrace();
  requireTensors(operation.name, ...inputs);
  const device = trace?.device ?? inputs[0]?.device ?? deviceWithoutInputs;
  if (!device) throw new DaybreakError(`${operation.name}: expected at least one tensor, got none.`);
  for (const input of inputs)
    if (input.device !== device) throw new DaybreakError(`${operation.name}: tensors are on different devices.`);
  const given = inputs.map(input => input.value.spec);
  checkTypes(operation, given);
  const specs = operation.infer(given, attributes);
  const erased = operation as unknown as Operation<never>;
  const requiresGrad = recording && inputs.some(input => input.requiresGrad);
  if (trace) {
    const values = inputs.map(input => trace.import(input.value));
    const node = trace.append(erased, values, specs, attributes);
    if (requiresGrad || (recording && values.some(value => value.requiresGrad))) connect(node);
    return node.outputs.map(value => new Tensor(device, value));
  }
  const values = inputs.map(input => input.value);
  const outputs = runNow(device, erased, values, specs, attributes);
  if (requiresGrad) {
    const node = new Node(erased, values, outputs, attributes);
    node.record();
    for (const value of outputs) value.requiresGrad = true;
  }
  return outputs.map(value => new Tensor(device, value));
}

function connect(node: Node): void {
  for (const value of node.outputs) {
    value.node = node;
    value.requiresGrad = true;
  }
}

function runNow(
  device: Device,
  operation: Operation<never>,
  inputs: readonly Value[],
  specs: readonly TensorSpec[],
  attributes: Attributes,
): Value[] {
  const storages = inputs.map(value => {
    const { storage } = value;
    if (!storage)
      throw new TraceError(
        `${operation.name}: a tensor of a trace was used after the trace; return it from the function.`,
      );
    return storage;
  });
  // A view of immutable memory shares it. A variable's content may change later, so it is copied.
  const { view } = operation as Operation;
  if (view && inputs[0].source?.kind !== 'variable') {
    const [spec, storage] = [specs[0], storages[0]];
    return [new Value(spec, storage.slice(view.offset(attributes) * 4, sizeOf(spec.shape) * 4))];
  }
  const program = programOf(device, operation, inputs, specs, attributes);
  return program.run(storages).map((storage, i) => new Value(specs[i], storage));
}

function programOf(
  device: Device,
  operation: Operation<never>,
  inputs: readonly Value[],
  specs: readonly TensorSpec[],
  attributes: Attributes,
): Program {
  let cache = programs.get(device);
  if (!cache) {
    cache = new LruCache(PROGRAMS_KEPT, program => program.dispose());
    programs.set(device, cache);
  }
  const key = `${keyOf(operation, attributes)}|${inputs.map(({ spec }) => `${spec.dtype}${spec.shape.join('x')}`).join('|')}`;
  const known = cache.get(key);
  if (known) return known;
  const trace = new Trace(
    device,
    inputs.map(value => value.spec),
  );
  const node = trace.append(operation, trace.arguments, specs, attributes);
  const program = new Program(device, lower(trace.finish(node.outputs), false, device.traits));
  cache.set(key, program);
  return program;
}
