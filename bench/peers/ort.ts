/** onnxruntime-web on its WebGPU provider, which has no gradients. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { convolutionModel } from './onnx-model.ts';
import packageJson from './package.json' with { type: 'json' };
import { type Peer, type Prepared, serve, settle } from './serve.ts';
import { exposeWebGpu } from './webgpu-globals.ts';
import type { Arrays, ConvolutionWork, Pass } from './works.ts';

const adapter = await exposeWebGpu();
copySharedMemory();
const ort = await import('onnxruntime-web/webgpu');
ort.env.logLevel = 'error';
ort.env.wasm.numThreads = 1;
const module = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm');
ort.env.wasm.wasmBinary = Uint8Array.from(readFileSync(module)).buffer;

/** Its heap is a SharedArrayBuffer, and Dawn's writeBuffer rejects views of one ("Invalid argument"). */
function copySharedMemory(): void {
  const original = GPUQueue.prototype.writeBuffer;
  GPUQueue.prototype.writeBuffer = function (buffer, bufferOffset, data, dataOffset = 0, size): undefined {
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    // For typed arrays, offset and size count elements.
    const each = 'BYTES_PER_ELEMENT' in view ? (view.BYTES_PER_ELEMENT as number) : 1;
    const length = size === undefined ? view.byteLength - dataOffset * each : size * each;
    const bytes = new Uint8Array(view.buffer, view.byteOffset + dataOffset * each, length);
    original.call(this, buffer, bufferOffset, view.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes);
  };
}

/**
 * Quiet waiting: input and output stay on the GPU, as in the other engines. Native: data is copied from and to the CPU in
 * every run, as for most users.
 */
async function convolution(work: ConvolutionWork, _: Pass, inputs: Arrays): Promise<Prepared> {
  const model = convolutionModel(work, inputs.weight);
  const open = (preferredOutputLocation: 'cpu' | 'gpu-buffer') =>
    ort.InferenceSession.create(model, { executionProviders: ['webgpu'], preferredOutputLocation });
  const onGpu = await open('gpu-buffer');
  const onCpu = await open('cpu');
  const dims = [...inputs.x.shape];
  const device = await ort.env.webgpu.device;
  const buffer = device.createBuffer({
    size: inputs.x.data.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, inputs.x.data);
  const resident = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
  const given = new ort.Tensor('float32', inputs.x.data, dims);
  let last: import('onnxruntime-web').Tensor | undefined;

  async function forward(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      last?.dispose();
      last = (await onGpu.run({ x: resident })).y;
    }
    await device.queue.onSubmittedWorkDone();
  }
  return {
    async run(count, wait) {
      if (wait === 'quiet') return await settle(forward(count), wait);
      for (let i = 0; i < count; i++) await onCpu.run({ x: given });
    },
    async results() {
      const data = Float32Array.from((await last!.getData()) as Float32Array);
      return { y: { shape: last!.dims, data } };
    },
    release() {
      last?.dispose();
      resident.dispose();
      buffer.destroy();
      // Nothing is running any more, so do not wait until it frees its memory.
      void onGpu.release();
      void onCpu.release();
    },
  };
}

await serve({
  version: packageJson.dependencies['onnxruntime-web'],
  adapter: adapter.name,
  software: adapter.software,
  passes: ['forward'],
  convolution,
} satisfies Peer);
