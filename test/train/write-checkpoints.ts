/** Replaces a checkpoint over and over, saying which one is written, until it is killed: node write-checkpoints.ts FOLDER FIRST */

import { writeCheckpoint } from '../../train/run-folder/checkpoint-store.node.ts';

const [folder, first] = process.argv.slice(2);
for (let step = Number(first); ; step++) {
  const state = new TextEncoder().encode(JSON.stringify({ step }));
  await writeCheckpoint(
    folder,
    new Map([
      ['model.safetensors', new Uint8Array(200_000).fill(step)],
      ['state.json', state],
    ]),
  );
  process.stdout.write(`${step}\n`);
}
