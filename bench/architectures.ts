/** The networks of Ledig et al. (2017) in the notation of their figure 4, and their layers. */
import type { Shape } from '../engine/basics/shape.ts';

/**
 * Layers in order: `k3n64s2` is a convolution (kernel, channels, stride; padded so that stride 1 keeps the size), `bn`,
 * `prelu`, `lrelu`, `relu` and `bce` follow the layer before, `shuffle2` doubles the size, `pool2` halves it,
 * `dense1024` is a fully connected layer. Repeated parts of a network are listed once.
 */
interface Architecture {
  readonly name: string;
  readonly layers: string;
  /** Channels, and the factor by which the crop's side is divided. */
  readonly input: { readonly channels: number; readonly divisor: number };
}

const ARCHITECTURES: readonly Architecture[] = [
  {
    name: 'SRResNet',
    layers: `k9n64s1 prelu k3n64s1 bn prelu k3n64s1 bn k3n256s1 shuffle2 prelu k3n256s1 shuffle2 prelu k9n3s1`,
    input: { channels: 3, divisor: 4 },
  },
  {
    name: 'discriminator',
    layers: `k3n64s1 lrelu k3n64s2 bn lrelu k3n128s1 bn lrelu k3n128s2 bn lrelu k3n256s1 bn lrelu k3n256s2 bn lrelu
      k3n512s1 bn lrelu k3n512s2 bn lrelu dense1024 lrelu dense1 bce`,
    input: { channels: 3, divisor: 1 },
  },
  {
    // Simonyan and Zisserman 2015, up to the last convolution (φ5,4); the perceptual loss of SRGAN.
    name: 'VGG19',
    layers: `k3n64s1 relu k3n64s1 relu pool2 k3n128s1 relu k3n128s1 relu pool2
      k3n256s1 relu k3n256s1 relu k3n256s1 relu k3n256s1 relu pool2
      k3n512s1 relu k3n512s1 relu k3n512s1 relu k3n512s1 relu pool2
      k3n512s1 relu k3n512s1 relu k3n512s1 relu k3n512s1 relu`,
    input: { channels: 3, divisor: 1 },
  },
];

/** A layer with the shape of its input. */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly network: string;
      readonly input: Shape;
      readonly channels: number;
      readonly kernel: number;
      readonly stride: number;
      /** False before batch norm. */
      readonly bias: boolean;
    }
  | { readonly kind: 'dense'; readonly network: string; readonly input: Shape; readonly units: number }
  | {
      readonly kind: 'bn' | 'prelu' | 'lrelu' | 'relu' | 'bce' | 'shuffle' | 'pool';
      readonly network: string;
      readonly input: Shape;
    };

/** The distinct layers of all three networks, in order, for batches of HR crops whose side is a multiple of 16. */
export function layersOf(batch: number, crop: number): Layer[] {
  const layers = ARCHITECTURES.flatMap(architecture => walk(architecture, batch, crop));
  return [...new Map(layers.map(layer => [JSON.stringify(layer), layer])).values()];
}

function walk(
  { name: network, layers, input: { channels, divisor } }: Architecture,
  batch: number,
  crop: number,
): Layer[] {
  let shape: Shape = [batch, channels, crop / divisor, crop / divisor];
  const tokens = layers.trim().split(/\s+/);
  return tokens.map((token, i) => {
    const [, kind, ...sizes] = token.match(/^([a-z]+)(\d*)(?:n(\d+)s(\d+))?$/)!;
    const numbers = sizes.map(Number);
    const input = shape;
    const [n, c, h, w] = shape as [number, number, number, number];
    const [size, outputs, stride] = numbers as [number, number, number];
    switch (kind) {
      case 'k':
        // Padding of half a kernel: stride 2 halves even sizes.
        shape = [n, outputs, Math.ceil(h / stride), Math.ceil(w / stride)];
        return { kind: 'conv', network, input, channels: outputs, kernel: size, stride, bias: tokens[i + 1] !== 'bn' };
      case 'dense': {
        const flat = [n, shape.slice(1).reduce((product, side) => product * side, 1)];
        shape = [n, size];
        return { kind, network, input: flat, units: size };
      }
      case 'shuffle':
        shape = [n, c / size ** 2, h * size, w * size];
        return { kind, network, input };
      case 'pool':
        shape = [n, c, h / size, w / size];
        return { kind, network, input };
      default:
        return { kind: kind as 'bn' | 'prelu' | 'lrelu' | 'relu' | 'bce', network, input };
    }
  });
}
