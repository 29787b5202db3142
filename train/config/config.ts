/** What a training run is told: options over a configuration file over the defaults of what is trained. */

import { quoted } from '../../engine/basics/errors.ts';
import { VGG_ADVICE } from '../../models/vgg19-error.ts';
import { ConfigError } from '../errors.ts';
import { ADVERSARIAL_WEIGHT, type Variant, variantOf } from '../variants.ts';
import { applies, GROUPS, isOption, KEYS, notesOf, TrainConfig, type TrainOption } from './schema.ts';

export type { TrainConfig, TrainOption } from './schema.ts';

/** A configuration file's content and, for messages, its name. */
export interface ConfigFile {
  readonly path: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** An option as the command line shows it. */
export interface OptionHelp {
  readonly key: TrainOption;
  /** As commander wants it: "--lr-schedule <NAME>", or "--flips" for a switch. */
  readonly flags: string;
  readonly help: string;
  /** The heading it stands under. */
  readonly group: string;
  readonly repeatable: boolean;
  /** What stands where nothing is given; undefined for options that must be given, or follow from others. */
  readonly default: unknown;
}

/** "lrSchedule" as "--lr-schedule". */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

/** What a variant is; the paper's SRResNet for a name that is none (which parsing will report). */
export const variantOfConfig = ({ model }: Pick<TrainConfig, 'model'>): Variant =>
  variantOf(model) ?? variantOf('srresnet')!;

/** §3.2: 10⁵ updates at 10⁻⁴ and 10⁵ at 10⁻⁵. */
const SRGAN_STEPS = 2e5;

/**
 * What stands where nothing is given: the paper's numbers for a variant. `given` are options that others depend on: the
 * rate of an SRGAN falls at the half of its `steps`, and channels and blocks come with the weights of `init`.
 */
export function defaultsOf(
  variant: Variant,
  given: { readonly steps?: unknown; readonly init?: unknown } = {},
): Readonly<Partial<Record<TrainOption, unknown>>> {
  const { adversarial, rescale, variation } = variant;
  const steps = typeof given.steps === 'number' && given.steps > 1 ? Math.floor(given.steps / 2) : SRGAN_STEPS / 2;
  const all: Partial<Record<TrainOption, unknown>> = {
    ...Object.fromEntries(KEYS.map(key => [key, TrainConfig.shape[key].safeParse(undefined).data])),
    model: variant.name,
    ...((given.init ?? (adversarial ? undefined : 'none')) === 'none' && { channels: 64, blocks: 16 }),
    ...(adversarial && { steps: SRGAN_STEPS, lrSchedule: 'step', lrStepEvery: steps }),
    discriminatorChannels: 64,
    discriminatorHidden: 1024,
    adversarialWeight: ADVERSARIAL_WEIGHT,
    pixelLoss: 'mse',
    vggRescale: rescale,
    vggDivisor: 'mean',
    tvWeight: variation,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => value !== undefined && applies(key as TrainOption, variant)),
  );
}

/** The options of a variant, in the order of the schema, for help and reports; `given` as `defaultsOf` takes it. */
export function optionsOf(variant: Variant, given: Parameters<typeof defaultsOf>[1] = {}): readonly OptionHelp[] {
  const defaults = defaultsOf(variant, given);
  let group = '';
  return KEYS.flatMap(key => {
    group = GROUPS[key as keyof typeof GROUPS] ?? group;
    const { kind, value, help } = notesOf(key);
    if (key === 'model' || kind === 'recorded' || !applies(key, variant)) return [];
    return [
      {
        key,
        flags: kind === 'switch' ? flagOf(key) : `${flagOf(key)} <${value}>`,
        help,
        group,
        repeatable: kind === 'list',
        default: defaults[key],
      },
    ];
  });
}

/**
 * The whole configuration from the command line's options (camelCase keys; numbers may still be text) over those of a
 * configuration file, over the defaults. Channels and blocks are left out where they come with the weights of `init`.
 * @throws ConfigError naming each wrong option and where it came from, what was given and what was expected.
 */
export function parseConfig(commandLine: Readonly<Record<string, unknown>>, file?: ConfigFile): TrainConfig {
  const given = definedOnly(commandLine);
  const nameOf = (key: string) =>
    file && key in file.options && !(key in given) ? `${file.path}: ${key}` : flagOf(key);
  const told: Record<string, unknown> = { ...file?.options, ...given };
  const input: Record<string, unknown> = {
    ...defaultsOf(variantOfConfig({ model: typeof told.model === 'string' ? told.model : 'srresnet' }), told),
    ...told,
  };
  const result = TrainConfig.safeParse(input);
  const problems = new Map<string, string>();
  for (const issue of result.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      problems.set(issue.keys[0], `${named(issue.keys.map(nameOf))}: unknown option; there are ${KEYS.join(', ')}`);
      continue;
    }
    const key = String(issue.path[0]);
    if (!problems.has(key)) problems.set(key, `${nameOf(key)}: ${problemOf(key as TrainOption, input[key], issue)}`);
  }
  if (result.success)
    for (const [key, problem] of missing(result.data)) problems.set(key, `${nameOf(key)}: missing; ${problem}`);
  if (result.success && problems.size === 0) return result.data;
  throw new ConfigError([...problems.values()].join('; '), [...problems.keys()].find(isOption));
}

/** What a variant cannot do without. */
function missing({ model, init, vgg }: TrainConfig): Map<TrainOption, string> {
  const variant = variantOfConfig({ model });
  const problems = new Map<TrainOption, string>();
  if (variant.adversarial && init === undefined)
    problems.set(
      'init',
      `${variant.name} starts from a trained SRResNet: npx daybreak train srresnet --data … --out RUN makes one, ` +
        'then --init RUN (or --init none for random weights)',
    );
  if (variant.vgg && vgg === undefined)
    problems.set(
      'vgg',
      `${variant.name} compares features of VGG19, whose weights do not come with Daybreak. ${VGG_ADVICE}`,
    );
  return problems;
}

/** Commander's values without those not given; text that is a number becomes one where a number is wanted. */
function definedOnly(commandLine: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(commandLine)) {
    if (value === undefined) continue;
    const numeric = isOption(key) && notesOf(key).kind === 'number' && typeof value === 'string' && value.trim() !== '';
    given[key] = numeric && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return given;
}

interface Issue {
  readonly code?: string;
  readonly message: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** A few of many names, each short enough for a line. */
function named(names: readonly string[]): string {
  const short = names.slice(0, 5).map(name => (name.length > 40 ? `${name.slice(0, 39)}…` : name));
  return JSON.stringify(short.join(', ')).slice(1, -1) + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

function problemOf(key: TrainOption, value: unknown, issue: Issue): string {
  if (issue.code === 'custom') {
    if (issue.params?.sentence) return issue.message;
    // What a check across options concerns may have been left to its default.
    return `given ${quoted(value)}, expected ${issue.message}`;
  }
  const { expected } = notesOf(key);
  return value === undefined ? `missing; expected ${expected}` : `given ${quoted(value)}, expected ${expected}`;
}

/**
 * Options that change what is written, not what is learned: they may differ when a run is resumed. A file of weights may
 * lie elsewhere by then: its content is what counts, and is compared.
 */
const FREE: readonly TrainOption[] = [
  'dataBudget',
  'eval',
  'evalEvery',
  'sampleEvery',
  'saveEvery',
  'keep',
  'logEvery',
  'maxNonFinite',
  'vgg',
  // The run folder may have been moved.
  'out',
];

/** Whether folders stand where there were folders, so that the same pictures may lie there. */
function sameSources(before: readonly string[], now: readonly string[]): boolean {
  const isWord = (source: string) => source === 'synthetic' || source === 'photographs';
  const hasFolder = (sources: readonly string[]) => !sources.every(isWord);
  return `${before.filter(isWord)}` === `${now.filter(isWord)}` && hasFolder(before) === hasFolder(now);
}

/**
 * The configuration to resume a run with: the run's own, with such options of the command line as may change on the
 * way. `steps` may too, except under a cosine schedule, which depends on it; and folders of `data`, where the same
 * pictures lie now: that they are the same is for who reads them to check.
 * @throws ConfigError for a wrong option, or naming all those whose change would make it another run.
 */
export function resumeConfig(stored: TrainConfig, commandLine: Readonly<Record<string, unknown>>): TrainConfig {
  const { model } = commandLine;
  if (typeof model === 'string' && variantOf(model)?.name !== stored.model)
    throw new ConfigError(`${model}: this run trains ${stored.model} and is resumed as it was`, 'model');
  const config = parseConfig(commandLine, { path: 'config.json', options: stored });
  const wrong = KEYS.filter(key => {
    const free =
      FREE.includes(key) ||
      (key === 'steps' && stored.lrSchedule !== 'cosine') ||
      (key === 'data' && sameSources(stored.data, config.data));
    return !free && JSON.stringify(stored[key]) !== JSON.stringify(config[key]);
  });
  if (wrong.length === 0) return config;
  const told = (key: TrainOption) => {
    const why = key === 'steps' ? ' (a cosine schedule ends with them)' : '';
    return `${flagOf(key)}: given ${quoted(config[key])}, the run has ${quoted(stored[key])}${why}`;
  };
  throw new ConfigError(
    `${wrong.map(told).join('; ')}; a run is resumed as it was begun: leave ${wrong.length > 1 ? 'these' : 'this'} out, or ` +
      `start another run in another folder (what may change: ${['steps', ...FREE]
        .filter(key => key !== 'out')
        .map(flagOf)
        .join(', ')}, and --data to where the same pictures lie now)`,
    wrong[0],
  );
}
