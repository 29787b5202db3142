/** Errors with VGG19 weights. */
import { DaybreakError } from '../engine/basics/errors.ts';

/** VGG19 weights that are missing, belong to another network, or end before the requested layer. */
export class VggError extends DaybreakError {
  static override readonly name: string = 'VggError';
  static override readonly code: string = 'DAYBREAK_VGG';
}

/** Where to get complete weights, and how to pass them. */
export const VGG_ADVICE =
  'Use torchvision’s or timm’s vgg19 as safetensors (timm/vgg19.tv_in1k on the model hub), and pass it with --vgg FILE.';
