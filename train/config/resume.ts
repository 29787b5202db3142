/** The configuration of a resumed run: which options may differ from those it was started with. */

import { quoted } from '../../engine/basics/errors.ts';
import { ConfigError } from '../errors.ts';
import { variantOf } from '../variants.ts';
import { flagOf, parseConfig } from './config.ts';
import { infoOf, KEYS, type TrainConfig, type TrainOption } from './options.ts';

/**
 * Whether two lists of sources may hold the same pictures: the same words in the same order, and folders in both or in
 * neither.
 */
function sameSources(before: readonly string[], now: readonly string[]): boolean {
  const isWord = (source: string) => source === 'synthetic' || source === 'photographs';
  const hasFolder = (sources: readonly string[]) => !sources.every(isWord);
  return `${before.filter(isWord)}` === `${now.filter(isWord)}` && hasFolder(before) === hasFolder(now);
}

/**
 * The stored configuration of a run, with the options of the command line that a resumed run may change. `steps` may
 * change unless the schedule is cosine, which depends on it. Folders of `data` may change to where the same pictures are
 * now; the caller must check that they are the same.
 * @throws ConfigError for an invalid option, or naming every option that must not change.
 */
export function resumeConfig(stored: TrainConfig, commandLine: Readonly<Record<string, unknown>>): TrainConfig {
  const { model } = commandLine;
  if (typeof model === 'string' && variantOf(model)?.name !== stored.model)
    throw new ConfigError(`${model}: this run trains ${stored.model}, which a resumed run cannot change`, 'model');
  const config = parseConfig(commandLine, { path: 'config.json', options: stored });
  const wrong = KEYS.filter(key => {
    const mayChange =
      infoOf(key).mayChange ||
      (key === 'steps' && stored.lrSchedule !== 'cosine') ||
      (key === 'data' && sameSources(stored.data, config.data));
    return !mayChange && JSON.stringify(stored[key]) !== JSON.stringify(config[key]);
  });
  if (wrong.length === 0) return config;
  const problem = (key: TrainOption) => {
    const why = key === 'steps' ? ' (a cosine schedule depends on it)' : '';
    return `${flagOf(key)}: expected ${quoted(stored[key])} as in the run${why}, got ${quoted(config[key])}`;
  };
  const changeable = KEYS.filter(key => key === 'steps' || (infoOf(key).mayChange && key !== 'out')).map(flagOf);
  throw new ConfigError(
    `${wrong.map(problem).join('; ')}; a resumed run keeps its options: leave ${wrong.length > 1 ? 'these' : 'this'} out, ` +
      `or start a new run with another --out (may change: ${changeable.join(', ')}, and --data if the same pictures have moved)`,
    wrong[0],
  );
}
