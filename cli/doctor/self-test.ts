/** Runs a small kernel to check a device: arithmetic, workgroup memory, a barrier, upload and readback. */
import { messageOf } from '../../common/errors.ts';
import { sleepUntil } from '../../engine/device/gpu.node.ts';

/** The result of the self-test. Times in milliseconds, with upload and readback; `firstMs` includes compilation. */
export interface SelfTest {
  readonly passed: boolean;
  readonly elements: number;
  readonly firstMs: number;
  readonly againMs: number;
  /** What failed; missing if it passed. */
  readonly problem?: string;
}

const WIDTH = 64;
const ELEMENTS = 1024 * WIDTH;

/** Each element's square plus the element of the mirrored lane in its workgroup: exact in float32 for small integers. */
const KERNEL = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<workgroup> row: array<f32, ${WIDTH}>;

@compute @workgroup_size(${WIDTH})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let value = x[id.x];
  row[lane] = value;
  workgroupBarrier();
  y[id.x] = value * value + row[${WIDTH - 1}u - lane];
}
`;

const input = Float32Array.from({ length: ELEMENTS }, (_, i) => (i * 7919) % 1021);
const expected = input.map((value, i) => value * value + input[i - (i % WIDTH) + WIDTH - 1 - (i % WIDTH)]);

/** Runs the kernel twice. Never throws: errors are in the result. */
export async function selfTest(device: GPUDevice): Promise<SelfTest> {
  const times = { firstMs: 0, againMs: 0 };
  try {
    for (const time of ['firstMs', 'againMs'] as const) {
      const start = performance.now();
      const result = await compute(device);
      times[time] = performance.now() - start;
      const wrong = expected.findIndex((value, i) => result[i] !== value);
      if (wrong >= 0) {
        const problem = `element ${wrong}: expected ${expected[wrong]}, got ${result[wrong]}`;
        return { passed: false, elements: ELEMENTS, ...times, problem };
      }
    }
    return { passed: true, elements: ELEMENTS, ...times };
  } catch (error) {
    return { passed: false, elements: ELEMENTS, ...times, problem: messageOf(error) };
  }
}

async function compute(device: GPUDevice): Promise<Float32Array> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: KERNEL });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const buffer = (usage: number) => device.createBuffer({ size: input.byteLength, usage });
  const x = buffer(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
  const y = buffer(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const back = buffer(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(x, 0, input);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [x, y].map((each, binding) => ({ binding, resource: { buffer: each } }));
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(ELEMENTS / WIDTH);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, back, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);
  const problem = await sleepUntil(device.popErrorScope());
  if (problem) throw new Error(problem.message);
  await sleepUntil(back.mapAsync(GPUMapMode.READ));
  const result = new Float32Array(back.getMappedRange().slice(0));
  for (const each of [x, y, back]) each.destroy();
  return result;
}
