/**
 * Uses Daybreak on your own WebGPU device: a tensor wraps your buffer without a copy, and your own commands read the
 * result. In a browser `navigator.gpu` replaces the first lines.
 *
 *     npx tsx examples/share-a-device.ts
 */
import { avgPool2d, Device, wrap } from 'daybreak';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// Keep a reference to the object that create() returns: without it, Dawn stops working.
const gpu = create([]);
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) throw new Error('no WebGPU adapter: npm run setup');
const mine = await adapter.requestDevice();

// Your own work: a shader writes an 8×8 ramp.
const ramp = mine.createBuffer({ size: 8 * 8 * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const pipeline = mine.createComputePipeline({
  layout: 'auto',
  compute: {
    module: mine.createShaderModule({
      code: `@group(0) @binding(0) var<storage, read_write> ramp: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { ramp[id.x] = f32(id.x); }`,
    }),
  },
});
const encoder = mine.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(
  0,
  mine.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: ramp } }],
  }),
);
pass.dispatchWorkgroups(1);
pass.end();
mine.queue.submit([encoder.finish()]);

// Daybreak's work: no copy and no waiting, because both submit to one queue, which runs in order.
using device = await Device.create({ device: mine });
using picture = wrap(device, ramp, [1, 1, 8, 8]);
using halved = avgPool2d(picture, 2);

// Your own work again: the result is in a buffer, at a byte offset.
const { buffer, offset } = halved.storage;
const read = mine.createBuffer({ size: 64, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
const copy = mine.createCommandEncoder();
copy.copyBufferToBuffer(buffer, offset, read, 0, 64);
mine.queue.submit([copy.finish()]);
await read.mapAsync(GPUMapMode.READ);
console.log([...new Float32Array(read.getMappedRange())].join(' '));
