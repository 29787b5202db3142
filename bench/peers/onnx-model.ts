/** A model of one convolution in ONNX's format. */
import { OnnxGraph } from '../../models/onnx-graph.ts';
import type { ConvolutionWork, HostArray } from './works.ts';

/** y = Conv(x, weight) with the weight inside. */
export function convolutionModel(work: ConvolutionWork, weight: HostArray): Uint8Array<ArrayBuffer> {
  const { batch, inputs, outputs, height, width } = work;
  const graph = new OnnxGraph(new Map([['conv.weight', weight]]));
  return graph.encode(graph.conv('conv', 'x'), {
    name: 'convolution',
    input: { name: 'x', shape: [batch, inputs, height, width] },
    output: { name: 'y', shape: [batch, outputs, height, width] },
  });
}
