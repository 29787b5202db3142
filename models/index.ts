/** `daybreak/models`: networks, layers and model files. */

export {
  Discriminator,
  type DiscriminatorConfig,
  type DiscriminatorOptions,
  discriminator,
  discriminatorConfig,
  discriminatorNetwork,
} from './discriminator.ts';
export { DRCN, type DRCNConfig, drcnNetwork } from './drcn.ts';
export { ESPCN, type ESPCNConfig, espcnNetwork } from './espcn.ts';
export { ForeignFormatError } from './foreign-file.ts';
export { interpolate } from './interpolate.ts';
export {
  type DecodeOptions,
  decodeDiscriminator,
  decodeModel,
  encodeModel,
  type ModelFileOptions,
} from './model-file.ts';
export {
  type ChoiceField,
  type ConfigOf,
  created,
  type DiscriminatingNetwork,
  type FirstWeights,
  type FlagField,
  type IntegerField,
  type Network,
  type NetworkConfig,
  type NetworkImages,
  NetworkModule,
  type Recipe,
  type UpscalingNetwork,
} from './network.ts';
export { NETWORKS, networkOf, UPSCALERS } from './networks.ts';
export { toOnnx } from './onnx.ts';
export { OnnxGraph, type OnnxModel, type OnnxValue } from './onnx-graph.ts';
export {
  DEFAULT_PRETRAINED,
  LARGEST_PRETRAINED,
  PretrainedError,
  type PretrainedModel,
  type PretrainedScores,
  parseRegistry,
  REGISTRY_FILE,
} from './pretrained.ts';
export {
  type FloatType,
  type RawTensor,
  readSafetensors,
  SafetensorsError,
  type SafetensorsFile,
  type StoredTensor,
  type WritableTensor,
  writeSafetensors,
} from './safetensors.ts';
export { SRCNN, type SRCNNConfig, srcnnNetwork } from './srcnn.ts';
export {
  SRResNet,
  type SRResNetConfig,
  type SRResNetOptions,
  srresnet,
  srresnetConfig,
  srresnetHalo,
  srresnetNetwork,
} from './srresnet.ts';
export { NetworkUpscaler } from './upscaler.ts';
export { VDSR, type VDSRConfig, vdsrNetwork } from './vdsr.ts';
export {
  type RandomVggOptions,
  VGG19,
  VGG19_LAYERS,
  type VggAssumptions,
  type VggLayer,
  type VggOptions,
  vgg19Random,
  vgg19Widths,
} from './vgg19.ts';
export { VggError } from './vgg19-error.ts';
export { decodeVgg19, vgg19FromTensors } from './vgg19-file.ts';
export { VGG_INPUTS, type VggInput, type VggNormalization } from './vgg19-input.ts';
