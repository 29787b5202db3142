/** Networks as ONNX models, which onnxruntime, browsers' other engines and most tools for deployment read. */
import { WeightsError } from '../nn/module.ts';
import { configText, type NetworkImages, type NetworkModule, type UpscalingNetwork } from './network.ts';
import { OnnxGraph } from './onnx-graph.ts';

/**
 * A network in evaluation mode as an ONNX model: opset 17, float32, any batch, height and width. The graph is `forward` alone:
 * `input` [batch, 3 or 1, height, width] to `output`, as {@link NetworkImages} describes them; preparing pictures (luma, enlarging,
 * mirrored edges) is left to the caller. The model's description, `metadata_props` and the descriptions of input and output say
 * what is expected.
 *
 *     await writeFile('model.onnx', await toOnnx(decodeModel(await readFile('model.safetensors'))));
 *
 * @returns the file's bytes, in memory about once more the network's size
 * @throws WeightsError for a network that does not upscale or whose declaration has no `onnx`
 */
export async function toOnnx(net: NetworkModule): Promise<Uint8Array<ArrayBuffer>> {
  const { network, config } = net;
  if (network.role !== 'upscaler') throw new WeightsError(`toOnnx: a ${network.label} does not upscale.`);
  if (!network.onnx) throw new WeightsError(`toOnnx: the declaration of ${network.label} has no "onnx".`);
  const graph = new OnnxGraph(await net.stateDict());
  const result = network.onnx(graph, 'input', config);
  const images = network.images(config);
  const planes = images.colour === 'rgb' ? 3 : 1;
  const said = describedImages(network, config);
  return graph.encode(result, {
    name: network.name,
    description: `${network.label}, ${network.describe(config)}, x${network.scale}. Input: ${said.input}. Output: ${said.output}.`,
    input: { name: 'input', shape: ['batch', planes, 'height', 'width'], description: said.input },
    output: {
      name: 'output',
      // Names, not 4*height: a name of a size is an identifier.
      shape: ['batch', planes, ...(images.enlarged ? ['height', 'width'] : ['output_height', 'output_width'])],
      description: said.output,
    },
    metadata: {
      arch: network.name,
      config: configText(network, config),
      scale: String(network.scale),
      input: said.input,
      output: said.output,
    },
  });
}

const COLOURS: Readonly<Record<NetworkImages['colour'], string>> = {
  rgb: 'RGB, black 0, white 1',
  luma: 'luma (Y of BT.601 as in rgb2ycbcr, divided by 255: black 16/255, white 235/255)',
  'full luma': 'luma (0.299 R + 0.587 G + 0.114 B: black 0, white 1)',
};

/** What goes into a network and comes out of it, in words. */
export function describedImages<C extends NonNullable<Parameters<UpscalingNetwork['images']>[0]>>(
  network: UpscalingNetwork,
  config: C,
): { readonly input: string; readonly output: string } {
  const { colour, enlarged, clamp, output, edges } = network.images(config);
  const halo = network.halo(config);
  const input = [
    COLOURS[colour],
    ...(enlarged ? [`already enlarged ${network.scale} times by bicubic interpolation`] : []),
    ...(clamp ? [`clamped to [${clamp.map(limit => `${Math.round(limit * 255)}/255`).join(', ')}]`] : []),
    ...(edges === 'mirror'
      ? [`continued at each edge by mirrored pixels (${halo} at most make a difference), whose result is to be cut off`]
      : []),
  ];
  const size = enlarged ? 'the same size' : `${network.scale} times as high and wide`;
  const [black, white] = output;
  const range =
    colour === 'rgb' || colour === 'full luma'
      ? `black ${black}, white ${white}, not clamped`
      : 'in the same range, not clamped';
  return { input: input.join(', '), output: `${size}, ${colour === 'rgb' ? 'RGB' : 'luma'}, ${range}` };
}
