/** The weights that a run starts from: another run's, or a model file's. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../common/files/file-error.ts';
import { ConfigError } from '../errors.ts';
import { readCheckpoint } from '../run-folder/checkpoint-store.node.ts';
import { MODEL, SCORED } from './state.ts';

/**
 * The bytes of the model file that `init` names: a file, or the generator of the checkpoint `last` of a run's folder (or
 * of a checkpoint's own), the one that is scored where that is another than the one in training. Undefined for `none` and where nothing is named.
 * @throws ConfigError where there is no such thing, CheckpointError for a damaged checkpoint.
 */
export async function readInitialWeights(init: string | undefined): Promise<Uint8Array | undefined> {
  if (init === undefined || init === 'none') return undefined;
  const found = await stat(init).catch(cause => {
    throw new ConfigError(`--init: ${init}: neither the folder of a run nor a model file (${codeOf(cause)})`, 'init', {
      cause,
    });
  });
  if (!found.isDirectory()) return await readFile(init);
  for (const folder of [join(init, 'checkpoints', 'last'), init]) {
    const there = await stat(join(folder, MODEL)).catch(() => undefined);
    if (!there) continue;
    const files = await readCheckpoint(folder);
    return files.get(SCORED) ?? files.get(MODEL);
  }
  throw new ConfigError(`--init: ${init}: no run with a checkpoint (checkpoints/last/${MODEL} is missing)`, 'init');
}
