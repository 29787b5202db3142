/** What is wrong with a VGG19: its file, or what was asked of it. */
import { DaybreakError } from '../engine/basics/errors.ts';

/** Weights of VGG19 that are missing, are of another network, or do not reach the layer asked for. */
export class VggError extends DaybreakError {}

/** Where whole weights come from, and how to pass them. */
export const VGG_ADVICE =
  'A whole file is torchvision’s or timm’s vgg19 as safetensors (timm/vgg19.tv_in1k of the model hub); pass it with --vgg FILE.';
