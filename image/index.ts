/** `daybreak/image`: pictures without a GPU. */

export { decode, encodePng } from '#codec';
export { type ColourSamples, fromYcbcr, luma, toGrey, toYcbcr } from './colour.ts';
export { daalaLuma } from './daala.ts';
export { ImageError, PictureSizeError } from './errors.ts';
export {
  DEFAULT_MAX_PIXELS,
  type Format,
  formatOf,
  OUTPUT_EXTENSIONS,
  PICTURE_EXTENSIONS,
  type ReadFormat,
} from './formats.ts';
export { enlargeLuma, type LumaOptions } from './luma.ts';
export { daalaSsim, psnr, ssim } from './metrics.ts';
export {
  type Channels,
  createPicture,
  crop,
  cropToMultiple,
  describe,
  flipHorizontal,
  flipVertical,
  hasAlpha,
  joinAlpha,
  type Picture,
  peak,
  type Samples,
  shave,
  splitAlpha,
  toEightBit,
  toRgb,
  toSixteenBit,
  transpose,
} from './picture.ts';
export { type Plane, shavePlane } from './plane.ts';
export {
  type Boundary,
  RESIZE_METHODS,
  type ResizeMethod,
  type ResizeOptions,
  type ResizeTarget,
  resize,
  resizeInTurns,
  resizeSamples,
  resizeSamplesInTurns,
  shrink,
} from './resize.ts';
export { syntheticPicture, syntheticPictures } from './synthetic.ts';
