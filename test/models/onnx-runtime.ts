/** Runs ONNX models in onnxruntime-web's wasm, on the CPU. */
import * as ort from 'onnxruntime-web';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** Values with their shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Opens a model of one input and one output. Fails for what the runtime refuses. */
export async function openOnnx(model: Uint8Array) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    async run({ shape, data }: Values): Promise<Values> {
      const { output } = await session.run({ input: new ort.Tensor('float32', data, [...shape]) });
      return { shape: output.dims, data: Float32Array.from(output.data as Float32Array) };
    },
    release: () => session.release(),
  };
}
