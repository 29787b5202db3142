/**
 * A network as a declaration: what files, upscaling, training, the documentation and the tests need to know of it. Each
 * network is one file in this folder that declares itself, and one line in `networks.ts`.
 */

import type { Tensor } from '../engine/tensor.ts';
import { type HostTensor, Module, WeightsError } from '../nn/module.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** A network's configuration: flat, so that it fits into a file's metadata and on a command line. */
export type NetworkConfig = Readonly<Record<string, number | string | boolean>>;

interface AnyField {
  /** What it is, in one line. The default is the paper's value. */
  readonly help: string;
  /** False if the shapes of tensors do not show it. */
  readonly inTensors: boolean;
}

/** A whole number, such as a number of feature maps. */
export interface IntegerField extends AnyField {
  /** A whole number. */
  readonly kind: 'integer';
  /** The paper's value. */
  readonly default: number;
  /** The least value allowed. */
  readonly min: number;
  /** The largest value allowed. */
  readonly max: number;
  /** A divisor of the number. */
  readonly multipleOf: number;
}

/** One of several names. */
export interface ChoiceField<V extends string = string> extends AnyField {
  /** A choice. */
  readonly kind: 'choice';
  /** The paper's value. */
  readonly default: V;
  /** All names that may be chosen. */
  readonly values: readonly V[];
}

/** True or false. */
export interface FlagField extends AnyField {
  /** A flag. */
  readonly kind: 'flag';
  /** The paper's value. */
  readonly default: boolean;
}

export type Field = IntegerField | ChoiceField | FlagField;
export type Fields = Readonly<Record<string, Field>>;

/** The configuration that fields describe. */
export type ConfigOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends ChoiceField<infer V>
    ? V
    : F[K] extends FlagField
      ? boolean
      : F[K] extends IntegerField
        ? number
        : never;
};

/** An integer field. `max` is 4096 by default: more fits into no GPU. */
export const integerField = (
  byDefault: number,
  help: string,
  { min = 1, max = 4096, multipleOf = 1 }: Partial<Pick<IntegerField, 'min' | 'max' | 'multipleOf'>> = {},
): IntegerField => ({ kind: 'integer', default: byDefault, min, max, multipleOf, help, inTensors: true });

/** A choice field; the first name is the default. */
export const choiceField = <const V extends string>(
  values: readonly [V, ...V[]],
  help: string,
  { inTensors = true }: Partial<Pick<AnyField, 'inTensors'>> = {},
): ChoiceField<V> => ({ kind: 'choice', default: values[0], values, help, inTensors });

/** A flag field. */
export const flagField = (
  byDefault: boolean,
  help: string,
  { inTensors = true }: Partial<Pick<AnyField, 'inTensors'>> = {},
): FlagField => ({ kind: 'flag', default: byDefault, help, inTensors });

/**
 * The field of networks that learn nothing of the convolutions' zero padding, because they are trained inside of images.
 * Training ignores it.
 */
export const edgesField = choiceField(
  ['mirror', 'zero'],
  "padding of a picture: reflection, or the convolutions' zeros, which darken a white picture's edge",
  { inTensors: false },
);

/** What an upscaling network reads and gives. */
export interface NetworkImages {
  /**
   * Planes: `rgb`, three; `luma`, Y of rgb2ycbcr / 255 (16/255 to 235/255); `full luma`, .299 R + .587 G + .114 B in
   * [0, 1]. Networks on luma leave chroma to bicubic.
   */
  readonly colour: 'rgb' | 'luma' | 'full luma';
  /** True if LR is enlarged to the result's size by bicubic first, so that the network itself does not change sizes. */
  readonly enlarged: boolean;
  /** The input is clamped to this range. Default: not clamped. */
  readonly clamp?: readonly [least: number, most: number];
  /** Values of the output that are black and white (0 and 255 of `colour`); the input's are 0 and 1. */
  readonly output: readonly [black: number, white: number];
  /**
   * Padding around a picture, outside the network: mirrored, or none (then the network's own padding acts at the edges).
   */
  readonly edges: 'mirror' | 'none';
}

/** The least and most that Y of rgb2ycbcr / 255 can be. VDSR's and DRCN's programs clamp their input to it. */
export const STUDIO_RANGE = [16 / 255, 235 / 255] as const;

/** How the first weights are drawn. */
export interface FirstWeights {
  /** Seed of the random numbers. */
  readonly seed: number;
  /** See `SubPixelOptions`; networks without sub-pixel convolutions ignore it. */
  readonly icnr?: boolean;
}

/** The tensors of a file by name. */
export type HostTensors = ReadonlyMap<string, HostTensor>;
/** The metadata of a file. */
export type Metadata = Readonly<Record<string, string>>;

/** An instance of a declared network. */
export abstract class NetworkModule<C extends NetworkConfig = NetworkConfig> extends Module {
  /** What distinguishes it from others of its network; it is written to files. */
  abstract readonly config: C;
  /** Its declaration. */
  abstract get network(): Network;

  /**
   * As in training: networks that their paper trains on the pixels that no padding reaches give only those, and the target
   * is cut to them. Default: like `forward`.
   */
  inner(x: Tensor): Tensor {
    return this.forward(x);
  }

  /**
   * For deep supervision: several predictions [N, D, H, W] of one plane, and the output [N, 1, H, W]. Only networks that are
   * trained so have it.
   */
  supervised?(x: Tensor): { readonly predictions: Tensor; readonly output: Tensor };
}

/** The paper's training as data, which `daybreak train` starts from. */
export interface Recipe {
  /** Adam, or stochastic gradient descent with momentum. */
  readonly optimizer: 'adam' | 'sgd';
  /** Whether the loss is half the squared error summed over each crop, instead of its mean over all elements. */
  readonly summed?: boolean;
  /** Whether only the pixels that no padding reaches are trained; see `NetworkModule.inner`. */
  readonly valid?: boolean;
  /** Defaults of options of `daybreak train`, by name, that differ from SRResNet's. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
}

/** What all declarations have. */
interface Declared<C extends NetworkConfig, N extends NetworkModule<C>> {
  /** `arch` in a file's metadata, and the command `daybreak train NAME`: lowercase. */
  readonly name: string;
  /** As the paper writes it. */
  readonly label: string;
  /** Authors, title and year. */
  readonly paper: string;
  /** Trainable parameters with the defaults, which are the paper's. */
  readonly parameters: number;
  /** The configuration's schema and defaults. Files name integers always, other fields if they differ from the default. */
  readonly fields: Fields;
  /**
   * A network with this configuration on the current device. Without `first` the weights are to be loaded: they may be zeros.
   * @throws WeightsError for a configuration that fields alone cannot exclude.
   */
  build(config: C, first?: FirstWeights): N;
  /**
   * The configuration of these tensors, as far as they show it; the rest is the default. Checks the shapes of the largest,
   * so that a file cannot request a network much larger than itself.
   * @throws WeightsError if they are another network's.
   */
  configOf(tensors: HostTensors): C;
  /**
   * The configuration of a file of others, which has no `config` of ours, but perhaps other statements in its metadata.
   * Default: that of the tensors.
   * @throws WeightsError for statements that this network does not support.
   */
  published?(metadata: Metadata, found: C): C;
  /** Whether a file that does not say its network holds this one. Default: no. */
  recognizes?(tensors: HostTensors): boolean;
  /** The configuration with fields that make no difference set to their defaults. Default: as it is. */
  normal?(config: C): C;
}

/** A network that upscales. */
export interface UpscalingNetwork<
  C extends NetworkConfig = NetworkConfig,
  N extends NetworkModule<C> = NetworkModule<C>,
> extends Declared<C, N> {
  /** It enlarges pictures. */
  readonly role: 'upscaler';
  /** The result's sides over the picture's. */
  readonly scale: 4;
  /** Pixels of the network's input on each side that an output pixel depends on. */
  halo(config: C): number;
  /** What a network of this configuration reads and gives. */
  images(config: C): NetworkImages;
  /** How the paper trains it. */
  readonly recipe: Recipe;
  /**
   * Adds what `forward` computes in evaluation mode to an ONNX graph, from the value `input`, and returns the name of its
   * result; see `toOnnx`, which needs it.
   */
  onnx?(graph: OnnxGraph, input: string, config: C): string;
  /** The size in words: "16 blocks of 64 channels". */
  describe(config: C): string;
}

/** A network that judges pictures during training. */
export interface DiscriminatingNetwork<
  C extends NetworkConfig = NetworkConfig,
  N extends NetworkModule<C> = NetworkModule<C>,
> extends Declared<C, N> {
  /** It judges pictures. */
  readonly role: 'discriminator';
}

/** Any declared network. */
export type Network = UpscalingNetwork | DiscriminatingNetwork;

/** The whole configuration for some of its fields. */
export function completed<C extends NetworkConfig>(
  { fields, normal = config => config }: Pick<Declared<C, NetworkModule<C>>, 'fields' | 'normal'>,
  given: Partial<C>,
): C {
  const all = Object.entries(fields).map(([key, field]) => [key, given[key] ?? field.default]);
  return normal(Object.fromEntries(all) as C);
}

/** Throws WeightsError, naming the field, unless a configuration is within the ranges of its fields. */
export function checkConfig({ label, fields }: Pick<Network, 'label' | 'fields'>, config: NetworkConfig): void {
  for (const [key, field] of Object.entries(fields)) {
    const expected = expectedOf(field, config[key]);
    if (expected !== undefined)
      throw new WeightsError(`${label}: ${key}: expected ${expected}, got ${JSON.stringify(config[key])}.`);
  }
}

/** What a field must be, if `value` is not that. */
function expectedOf(field: Field, value: unknown): string | undefined {
  switch (field.kind) {
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'choice':
      return field.values.some(one => one === value) ? undefined : field.values.join(' or ');
    case 'integer': {
      const { min, max, multipleOf } = field;
      const isValid =
        Number.isSafeInteger(value) &&
        (value as number) >= min &&
        (value as number) <= max &&
        (value as number) % multipleOf === 0;
      if (isValid) return undefined;
      return `${multipleOf === 1 ? 'an integer' : `a multiple of ${multipleOf}`} from ${min} to ${max}`;
    }
  }
}

/** A new network with random weights. Throws WeightsError for a configuration that is out of range. */
export function created<C extends NetworkConfig, N extends NetworkModule<C>>(
  network: Declared<C, N>,
  given: Partial<C>,
  first: FirstWeights,
): N {
  const config = completed(network, given);
  checkConfig(network, config);
  return network.build(config, first);
}

/** A configuration for a file's metadata: integers, and everything else that differs from the defaults. */
export function configText({ fields }: Pick<Network, 'fields'>, config: NetworkConfig): string {
  const written = Object.entries(fields).filter(([key, { kind, default: byDefault }]) => {
    return kind === 'integer' || config[key] !== byDefault;
  });
  return JSON.stringify(Object.fromEntries(written.map(([key]) => [key, config[key]])));
}

/** A tensor that a file lacks, with the shape that was expected; letters stand for any size. */
export class MissingTensorError extends WeightsError {
  static override readonly name: string = 'MissingTensorError';
  static override readonly code: string = 'DAYBREAK_MISSING_TENSOR';
  readonly tensor: string;
  readonly expected: readonly (number | string)[];
  /** Names that belong to the network, so that theirs is not the one that is missing. */
  readonly known: ReadonlySet<string>;
  constructor(
    message: string,
    tensor: string,
    expected: readonly (number | string)[],
    known: ReadonlySet<string> = new Set(),
  ) {
    super(message);
    this.known = known;
    this.tensor = tensor;
    this.expected = expected;
  }
}

/** Throws WeightsError unless a tensor has this shape; letters stand for any size. */
export function expectShape(
  label: string,
  tensors: HostTensors,
  name: string,
  expected: readonly (number | string)[],
): void {
  const shape = tensors.get(name)?.shape;
  if (shape?.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === shape[i]))
    return;
  const found = shape ? `is [${shape.join(', ')}]` : 'is missing';
  const problem = `not ${label} weights: ${name} ${found}, expected [${expected.join(', ')}].`;
  throw shape ? new WeightsError(problem) : new MissingTensorError(problem, name, expected);
}

/** Side of the kernel of a square convolution in a file. Throws WeightsError if there is no such convolution. */
export function kernelOf(label: string, tensors: HostTensors, name: string): number {
  expectShape(label, tensors, name, ['out', 'in', 'k', 'k']);
  return tensors.get(name)!.shape[2];
}

/** Number of convolutions `convs.0`, `convs.1` … in a file. */
export function countConvs(tensors: HostTensors): number {
  let count = 0;
  while (tensors.has(`convs.${count}.weight`)) count++;
  return count;
}

/** Whether a file has `convs.0.weight` of this shape; letters stand for any size. */
export function startsWith(tensors: HostTensors, expected: readonly (number | string)[]): boolean {
  const shape = tensors.get('convs.0.weight')?.shape;
  return (
    shape?.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === shape[i])
  );
}
