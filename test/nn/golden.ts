/** Golden values by PyTorch (golden/nn.py), and the numbers that both start from. */
import { readFileSync } from 'node:fs';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import type { Module } from '../../nn/index.ts';

interface Golden {
  readonly norms: Readonly<Record<'layerNorm' | 'groupNorm' | 'instanceNorm', Readonly<Record<string, number[]>>>>;
  readonly optimizers: Readonly<Record<string, readonly number[]>>;
  readonly schedules: Readonly<Record<string, readonly number[]>>;
  readonly classifier: readonly number[];
  readonly resnet: readonly number[];
  readonly autoencoder: readonly number[];
  readonly transformer: Readonly<Record<string, readonly number[]>>;
}

export const GOLDEN = JSON.parse(readFileSync(new URL('../golden/nn.json', import.meta.url), 'utf8')) as Golden;

/** MurmurHash3's finalizer of position and seed, in [mean − scale, mean + scale). */
export function numbers(size: number, seed: number, scale = 1, mean = 0): Float32Array {
  const offset = Math.imul(seed, 0x9e3779b9);
  return Float32Array.from({ length: size }, (_, i) => {
    let h = (i + offset) >>> 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    return (((h >>> 0) / 2 ** 32) * 2 - 1) * scale + mean;
  });
}

/** Those numbers as a tensor that gradients flow to. */
export const input = (shape: readonly number[], seed: number, scale = 1, mean = 0): Tensor =>
  tensor(numbers(sizeOf(shape), seed, scale, mean), shape, { requiresGrad: true });

/** Weights within 1/√fan-in; vectors of norms stay 1 and 0. */
export function hashed<M extends Module>(net: M, isNorm: (name: string) => boolean = () => false): M {
  net.namedParameters().forEach(([name, parameter], i) => {
    const { shape, size } = parameter;
    if (shape.length > 1) parameter.write(numbers(size, 100 + i, 1 / Math.sqrt(size / shape[0])));
    else if (!isNorm(name)) parameter.write(numbers(size, 100 + i, 0.1));
  });
  return net;
}

/** Pictures with a pattern for each class, and noise; and their classes. */
export function images(count: number, shape: readonly number[], classes: number, seed: number) {
  const labels = Float32Array.from({ length: count }, (_, i) => (7 * i + 3) % classes);
  const size = sizeOf(shape);
  const patterns = numbers(classes * size, seed, 0.7);
  const noise = numbers(count * size, seed + 1);
  const pictures = noise.map((value, i) => value + patterns[labels[Math.floor(i / size)] * size + (i % size)]);
  return { pictures, labels, shape };
}

/** Batch `step` of pictures, in turns. */
export function batchOf({ pictures, labels, shape }: ReturnType<typeof images>, step: number, batch: number) {
  const at = Array.from({ length: batch }, (_, k) => (step * batch + k) % labels.length);
  const size = sizeOf(shape);
  const x = new Float32Array(batch * size);
  at.forEach((from, k) => {
    x.set(pictures.subarray(from * size, (from + 1) * size), k * size);
  });
  return { x: tensor(x, [batch, ...shape]), target: tensor(at.map(i => labels[i])) };
}
