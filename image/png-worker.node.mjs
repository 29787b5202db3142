// Writes one PNG file in a thread of its own. Plain JavaScript, because workers do not run through tsx.
import { parentPort, workerData } from 'node:worker_threads';
import { PNG } from 'pngjs';

const { width, height, samples, options } = workerData;
const png = new PNG({ width, height });
png.data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
// A copy: pngjs's buffer may share its memory with others, which cannot be handed over.
const file = new Uint8Array(PNG.sync.write(png, options));
parentPort.postMessage(file, [file.buffer]);
