/** The declaration of an upscaling method that needs no training. */

import type { Plane } from '../image/plane.ts';
import type { Pass, Runner } from './passes.ts';
import type { PatchDictionary } from './patch-dictionary.ts';

/** How a method runs. */
export interface RunControl {
  /** Runs the method's passes, and provides their memory. */
  readonly runner: Runner;
  /** Examples, for methods that need them. */
  readonly dictionary?: PatchDictionary | undefined;
  /** Called with the work done and all of it, in any unit. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Checked a few times per second; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** What every method by name declares. The same input gives the same bytes, always. */
interface AnyMethod {
  /** The value of `--model`. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Authors, title and year. */
  readonly source: string;
  /** The scale of `run`. */
  readonly scale: 4;
  /** Radius in LR pixels of what a result pixel depends on, nearly: the frame for seamless textures. */
  readonly reach: number;
  /** True if `run` needs a dictionary. */
  readonly needsDictionary?: true;
  /** All passes that `run` uses. */
  readonly passes: readonly Pass<never>[];
}

/** A method that reads luma; `enlargeLuma` adds the colours. */
export interface LumaMethod extends AnyMethod {
  /** It gets one plane, luma; chroma is enlarged by bicubic. */
  readonly reads: 'luma';
  /**
   * [h][w] → [4h][4w], aligned like `imresize`. Levels are 0…255, not rounded: Y of `toYcbcr` (16…235), or a grey
   * picture's samples. Results may leave the range.
   */
  readonly run: (y: Plane, control: RunControl) => Promise<Plane>;
}

/** Three planes of width · height samples from 0 to 1: R, G, B. Grey is three equal planes. */
export interface RgbPlanes {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** R, G and B, each row by row. */
  readonly planes: readonly [Float32Array, Float32Array, Float32Array];
}

/** A method that reads all three channels. */
export interface RgbMethod extends AnyMethod {
  /** It gets three planes. */
  readonly reads: 'rgb';
  /** [h][w] → [4h][4w] for each channel, aligned like `imresize`, not rounded. */
  readonly run: (planes: RgbPlanes, control: RunControl) => Promise<RgbPlanes>;
}

/** A method by name. */
export type DeclaredMethod = LumaMethod | RgbMethod;
