/** `daybreak/eval`: upscaling methods, and scores by the papers' protocols. */

export type { DeclaredMethod, LumaMethod, RgbMethod, RgbPlanes, RunControl } from '../methods/declaration.ts';
export { DECLARED_METHODS, findMethod } from '../methods/list.ts';
export { LocalRunner, type Pass, type PassControl, type Runner } from '../methods/passes.ts';
export { DictionaryBuilder, type PatchDictionary } from '../methods/patch-dictionary.ts';
export { type ComparisonOptions, type ComparisonRow, comparisonPicture } from './comparison.ts';
export { ResultError, TileError } from './errors.ts';
export {
  type Evaluation,
  type EvaluationControl,
  evaluate,
  evaluateEach,
  evaluateMethods,
  type Figures,
  type MeanFigures,
  type Measure,
  type Pair,
  type PictureScores,
  type Results,
  type TextureFigures,
} from './evaluate.ts';
export {
  type DeclaredMethodOptions,
  INTERPOLATIONS,
  type Interpolation,
  interpolation,
  isInterpolation,
  type Method,
  network,
  withoutTraining,
} from './methods.ts';
export { type BlockStatistics, NIQE, niqe } from './niqe.ts';
export {
  BORDER,
  type MeanScores,
  meanScores,
  PROTOCOLS,
  type Protocol,
  type Quality,
  quality,
  rgbPsnr,
  type Scores,
  SMALLEST_SIDE,
  scores,
} from './protocols.ts';
export { surviving } from './surviving.ts';
export { highFrequencyEnergy, TEXTURE, textureRatio } from './texture.ts';
export { type MethodControl, type Tiling, type UpscaleControl, type Upscaler, upscalePicture } from './upscale.ts';
export { vggDistance } from './vgg-distance.ts';
export { DEFAULT_MEMORY_BUDGET, type TileOptions } from './windows.ts';
