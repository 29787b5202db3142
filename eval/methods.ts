/** Upscaling methods: interpolations and networks. */

import type { Picture, Samples } from '../image/picture.ts';
import { resize, resizeInTurns } from '../image/resize.ts';
import { upscaleBesideAlpha } from './alpha.ts';
import { type MethodControl, type Upscaler, upscalePicture } from './upscale.ts';
import { type TileOptions, Windows } from './windows.ts';

/** Upscales a picture; channels and depth stay. Networks report tiles; all methods observe the signal. */
export type Method = <S extends Samples>(lr: Picture<S>, control?: MethodControl) => Promise<Picture<S>>;

/** The classical methods by name. */
export const INTERPOLATIONS = ['nearest', 'bilinear', 'bicubic', 'lanczos3'] as const;
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

/** A network as a method; see `upscalePicture`. After running out of memory, tiles stay small for later pictures. */
export function network(upscaler: Upscaler, options: TileOptions = {}): Method {
  const windows = new Windows(upscaler, options);
  return (lr, control = {}) => upscalePicture(lr, upscaler, control, windows);
}
