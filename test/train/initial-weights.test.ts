import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInitialWeights } from '../../train/run/initial-weights.node.ts';
import { writeCheckpoint } from '../../train/run-folder/checkpoint-store.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = async (init: string) => {
  const found = await readInitialWeights(init);
  return found && new TextDecoder().decode(found);
};

test('of a run are those of its scored generator', async () => {
  const run = join(temporaryFolder(), 'run');
  mkdirSync(join(run, 'checkpoints'), { recursive: true });
  const last = join(run, 'checkpoints', 'last');
  await writeCheckpoint(last, new Map([['model.safetensors', bytes('in training')]]));
  expect([await read(run), await read(last)]).toEqual(['in training', 'in training']);
  const both = new Map([
    ['model.safetensors', bytes('in training')],
    ['model-scored.safetensors', bytes('averaged')],
  ]);
  await writeCheckpoint(last, both);
  expect([await read(run), await read(last)]).toEqual(['averaged', 'averaged']);
  // A file that is named is what is meant.
  expect(await read(join(last, 'model.safetensors'))).toBe('in training');
  writeFileSync(join(run, 'mine'), 'mine');
  expect([await read(join(run, 'mine')), await read('none')]).toEqual(['mine', undefined]);
});
