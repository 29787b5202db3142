/** `daybreak/models`: networks, layers and their files. */

export { BatchNorm2d, Conv2d, type Conv2dLayerOptions, PReLU, SubPixel } from './layers.ts';
export { decodeModel, encodeModel, type ModelFileOptions } from './model-file.ts';
export { type HostTensor, Module, WeightsError } from './module.ts';
export {
  readSafetensors,
  type SafetensorsFile,
  type StoredTensor,
  type WritableTensor,
  writeSafetensors,
} from './safetensors.ts';
export { SRResNet, type SRResNetOptions, srresnet, srresnetConfig, srresnetHalo } from './srresnet.ts';
export { SRResNetUpscaler } from './upscaler.ts';
