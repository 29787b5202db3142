/** Initial weights of a run: another run's, or a model file. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../files/file-error.ts';
import { ConfigError } from '../errors.ts';
import { readCheckpoint } from '../run-folder/checkpoint-store.node.ts';
import { MODEL, SCORED } from './state.ts';

/**
 * Reads the model file that `init` names: a file, or the evaluated generator of a checkpoint, where `init` is the folder of
 * the checkpoint or of a run (its checkpoint `last`). Undefined if `init` is undefined or `none`.
 * @throws ConfigError if there is no such file or checkpoint, CheckpointError if the checkpoint is damaged.
 */
export async function readInitialWeights(init: string | undefined): Promise<Uint8Array | undefined> {
  if (init === undefined || init === 'none') return undefined;
  const found = await stat(init).catch(cause => {
    throw new ConfigError(
      `--init: expected the folder of a run or a model file, got ${init} (${codeOf(cause)})`,
      'init',
      {
        cause,
      },
    );
  });
  if (!found.isDirectory()) return await readFile(init);
  for (const folder of [join(init, 'checkpoints', 'last'), init]) {
    const there = await stat(join(folder, MODEL)).catch(() => undefined);
    if (!there) continue;
    const files = await readCheckpoint(folder);
    return files.get(SCORED) ?? files.get(MODEL);
  }
  throw new ConfigError(
    `--init: expected the folder of a run with a checkpoint, got ${init} (no checkpoints/last/${MODEL})`,
    'init',
  );
}
