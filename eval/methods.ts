/** Upscaling methods: interpolations, methods without training, and networks. */

import { enlargeLuma } from '../image/luma.ts';
import { createPicture, crop, type Picture, peak, type Samples, samplesLike } from '../image/picture.ts';
import type { Plane } from '../image/plane.ts';
import { resize, resizeInTurns } from '../image/resize.ts';
import { surround } from '../image/surround.ts';
import type { DeclaredMethod, RgbMethod, RunControl } from '../methods/declaration.ts';
import { LocalRunner, type Runner } from '../methods/passes.ts';
import type { PatchDictionary } from '../methods/patch-dictionary.ts';
import { upscaleBesideAlpha } from './alpha.ts';
import { type MethodControl, type Upscaler, upscaleInSteps, upscalePicture } from './upscale.ts';
import { type TileOptions, Windows } from './windows.ts';

/** Upscales a picture; channels and depth stay. Networks report tiles, others progress; all observe the signal. */
export type Method = <S extends Samples>(lr: Picture<S>, control?: MethodControl) => Promise<Picture<S>>;

/** The classical methods by name. */
export const INTERPOLATIONS = ['nearest', 'bilinear', 'bicubic', 'lanczos3'] as const;
/** Name of a classical method. */
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** True for the name of a classical method. */
export function isInterpolation(name: string): name is Interpolation {
  return (INTERPOLATIONS as readonly string[]).includes(name);
}

/** MATLAB's `imresize(lr, scale, name)` on each channel, alpha too: bicubic is Keys', a = -1/2; edges mirror. */
export function interpolation(name: Interpolation, scale = 4): Method {
  return (lr, { to, wrap, signal } = {}) => {
    const options = { method: name, boundary: wrap ? 'wrap' : 'symmetric' } as const;
    const target = to ?? scale;
    return upscaleBesideAlpha(
      lr,
      colour => resizeInTurns(colour, target, { ...options, signal }),
      alpha => resize(alpha, target, options),
    );
  };
}

/** What `withoutTraining` needs. */
export interface DeclaredMethodOptions {
  /** Default: this thread alone. */
  readonly runner?: Runner;
  /** For methods that need examples; see `DeclaredMethod.needsDictionary`. */
  readonly dictionary?: PatchDictionary | undefined;
}

/**
 * A method of methods/ as a method for pictures: all channels by it, or luma, and chroma by bicubic (see `enlargeLuma`). The
 * rest is as for networks (see `upscaleInSteps`). A seamless texture is continued by the method's reach, so its seams are nearly as
 * good as the rest.
 */
export function withoutTraining(
  declared: DeclaredMethod,
  { runner = new LocalRunner(), dictionary }: DeclaredMethodOptions = {},
): Method {
  const { scale, reach } = declared;
  return (lr, control = {}) =>
    upscaleInSteps(lr, scale, control, async colour => {
      const { wrap = false, signal, onProgress } = control;
      const border = wrap ? reach : 0;
      const boundary = wrap ? 'wrap' : 'symmetric';
      const frame = surround(colour, border, boundary);
      const run = { runner, dictionary, onProgress, signal };
      const enlarged =
        declared.reads === 'rgb'
          ? await enlargeRgb(frame, declared, run)
          : await enlargeLuma(frame, scale, (y: Plane) => declared.run(y, run), { boundary, signal });
      const [width, height] = [colour.width * scale, colour.height * scale];
      return border === 0 ? enlarged : crop(enlarged, border * scale, border * scale, width, height);
    });
}

/** Enlarges all channels, and rounds half up. A grey picture is three equal channels, of whose results the first counts. */
async function enlargeRgb<S extends Samples>(
  colour: Picture<S>,
  { run }: RgbMethod,
  control: RunControl,
): Promise<Picture<S>> {
  const { width, height, channels, data } = colour;
  const white = peak(colour);
  const plane = (c: number) =>
    Float32Array.from({ length: width * height }, (_, i) => data[i * channels + (c % channels)] / white);
  const enlarged = await run({ width, height, planes: [plane(0), plane(1), plane(2)] }, control);
  const out = samplesLike(data, enlarged.width * enlarged.height * channels);
  for (let i = 0; i < out.length; i++) {
    const value = enlarged.planes[i % channels][Math.floor(i / channels)];
    out[i] = Math.min(white, Math.max(0, Math.floor(value * white + 0.5)));
  }
  return createPicture(enlarged.width, enlarged.height, channels, out);
}

/** A network as a method; see `upscalePicture`. After running out of memory, tiles stay small for later pictures. */
export function network(upscaler: Upscaler, options: TileOptions = {}): Method {
  const windows = new Windows(upscaler, options);
  return (lr, control = {}) => upscalePicture(lr, upscaler, control, windows);
}
