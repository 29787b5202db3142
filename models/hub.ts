/** A network as a repository of the Hugging Face Hub: weights, configuration, card and ONNX model. */
import { encodeModel } from './model-file.ts';
import type { NetworkModule } from './network.ts';
import { describedImages, toOnnx } from './onnx.ts';
import type { PretrainedModel } from './pretrained.ts';
import { readSafetensors } from './safetensors.ts';

/** File names in such a repository. */
export const HUB_FILES = ['model.safetensors', 'config.json', 'model.onnx', 'README.md'] as const;

export interface HubOptions {
  /** The model's name in its card. */
  readonly name: string;
  /** The Hub's identifier of the weights' licence, such as `mit`. Default: `mit` if the file says MIT, otherwise `unknown`. */
  readonly license?: string | undefined;
  /** Scores for the card. */
  readonly scores?: PretrainedModel['scores'] | undefined;
}

/**
 * The files of a repository, by {@link HUB_FILES}. The weights have our names and keep the element type (F16 if all of the
 * file's have it, otherwise F32) and the metadata of `file`, the model file that `net` was read from.
 */
export async function hubFiles(
  net: NetworkModule,
  file: Uint8Array,
  { name, license, scores = {} }: HubOptions,
): Promise<Record<(typeof HUB_FILES)[number], Uint8Array | string>> {
  const onnx = await toOnnx(net);
  const { network, config } = net;
  const { tensors, metadata } = readSafetensors(file, name);
  const dtype = [...tensors.values()].every(tensor => tensor.dtype === 'F16') ? 'F16' : 'F32';
  const scale = network.role === 'upscaler' ? network.scale : 1;
  const described = { architectures: [network.label], model_type: network.name, upscale: scale, ...config };
  return {
    'model.safetensors': await encodeModel(net, { dtype, metadata }),
    'config.json': `${JSON.stringify(described, undefined, 2)}\n`,
    'model.onnx': onnx,
    'README.md': card(net, {
      name,
      license: license ?? (/^MIT\b/.test(metadata.licence ?? '') ? 'mit' : 'unknown'),
      scores,
    }),
  };
}

function card(net: NetworkModule, { name, license, scores }: Required<HubOptions>): string {
  const { network, config } = net;
  if (network.role !== 'upscaler') throw new TypeError(`a card of ${network.label}, which does not upscale`);
  const sets = Object.entries(scores ?? {});
  const metric = (type: string, value: number, name: string) => ({ type, value, name });
  const results = sets.map(([set, { psnr, ssim }]) => ({
    task: { type: 'image-to-image' },
    dataset: { name: set, type: set.toLowerCase() },
    metrics: [metric('psnr', psnr, 'PSNR (dB, luma, x4)'), metric('ssim', ssim, 'SSIM (luma, x4)')],
  }));
  const front = {
    license,
    library_name: 'daybreak',
    pipeline_tag: 'image-to-image',
    tags: ['super-resolution', 'image-super-resolution', network.name, 'webgpu', 'onnx'],
    ...(sets.length > 0 && { metrics: ['psnr', 'ssim'], 'model-index': [{ name, results }] }),
  };
  // YAML contains JSON, so that no value needs rules of its own.
  const yaml = Object.entries(front).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const { input, output } = describedImages(network, config);
  const rows = sets.map(([set, { psnr, ssim }]) => `| ${set} | ${psnr.toFixed(2)} | ${ssim.toFixed(4)} |`);
  const table = rows.length === 0 ? [] : ['', '| set | PSNR, dB | SSIM |', '| --- | --- | --- |', ...rows];
  return `${[
    '---',
    ...yaml,
    '---',
    '',
    `# ${name}`,
    '',
    `${network.label} for super-resolution by ${network.scale}: ${network.describe(config)}, ${net.parameterCount.toLocaleString('en-US')} parameters.`,
    `${network.paper}.`,
    ...table,
    '',
    '- `model.safetensors`: weights with the names and layouts of PyTorch; its metadata has the configuration',
    '- `config.json`: the configuration',
    '- `model.onnx`: `input` [batch, planes, height, width] to `output`, opset 17, float32',
    '',
    `Input: ${input}.`,
    '',
    `Output: ${output}.`,
    '',
    '```sh',
    'daybreak upscale photo.png -o large.png --model .',
    '```',
  ].join('\n')}\n`;
}
