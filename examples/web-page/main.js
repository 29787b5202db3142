// Upscales a picture four times in the page, on the visitor's GPU. Nothing is uploaded.
import { init } from 'daybreak';
import { upscalePicture } from 'daybreak/eval';
import { decodeModel, NetworkUpscaler } from 'daybreak/models';
// Vite copies the network's file and gives its address.
import weights from 'daybreak/pretrained/srresnet.safetensors?url';

const [input, status, canvas] = ['file', 'status', 'result'].map(id => document.getElementById(id));
const say = text => {
  status.textContent = text;
};

async function start() {
  if (!navigator.gpu) return say('This browser has no WebGPU.');
  const device = await init();
  const bytes = new Uint8Array(await (await fetch(weights)).arrayBuffer());
  const upscaler = new NetworkUpscaler(decodeModel(bytes), 'srresnet');
  say(`Ready, on ${device.adapterName}.`);
  input.disabled = false;
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file) return;
    input.disabled = true;
    try {
      await upscale(file, upscaler);
    } catch (error) {
      say(`Failed: ${error.message}`);
    }
    input.disabled = false;
  });
}

async function upscale(file, upscaler) {
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const surface = new OffscreenCanvas(width, height).getContext('2d');
  surface.drawImage(bitmap, 0, 0);
  const { data } = surface.getImageData(0, 0, width, height);
  const start = performance.now();
  const large = await upscalePicture({ width, height, channels: 4, data: new Uint8Array(data) }, upscaler, {
    onTile: (done, total) => say(`Tile ${done} of ${total}`),
  });
  canvas.width = large.width;
  canvas.height = large.height;
  canvas.hidden = false;
  canvas.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(large.data), large.width), 0, 0);
  say(`${large.width} × ${large.height} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

await start();
