/** A training configuration: options of the command line override those of a file, which override the defaults. */

import { quoted } from '../../engine/basics/errors.ts';
import type { Recipe } from '../../models/network.ts';
import { VGG_ADVICE } from '../../models/vgg19-error.ts';
import { ConfigError } from '../errors.ts';
import { ADVERSARIAL_WEIGHT, type Variant, variantOf } from '../variants.ts';
import { applies, TrainConfigSchema } from './checks.ts';
import {
  fieldOptionsOf,
  groupOf,
  infoOf,
  isOption,
  KEYS,
  Options,
  type TrainConfig,
  type TrainOption,
} from './options.ts';

export type { TrainConfig, TrainOption } from './options.ts';

/** The options of a configuration file, and its path for messages. */
export interface ConfigFile {
  /** The file. */
  readonly path: string;
  /** Its content, by the options' names, not yet checked. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** An option as the help shows it. */
export interface OptionHelp {
  readonly key: TrainOption;
  /** In commander's notation: "--lr-schedule <NAME>", or "--flips" for a switch. */
  readonly flags: string;
  readonly help: string;
  /** The heading it belongs to. */
  readonly group: string;
  readonly repeatable: boolean;
  /** Undefined for options that are required or derived from others. */
  readonly default: unknown;
}

/** "lrSchedule" as "--lr-schedule". */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

/** The variant of a configuration; SRResNet for an unknown name, which parsing reports. */
export const variantOfConfig = ({ model }: Pick<TrainConfig, 'model'>): Variant =>
  variantOf(model) ?? variantOf('srresnet')!;

/** §3.2 for the first, Kingma and Ba 2015 for the others. */
const ADAM = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** The sizes of a variant's network in its paper. */
const sizesOf = ({ network }: Variant): Readonly<Record<string, unknown>> =>
  Object.fromEntries(fieldOptionsOf(network).map(key => [key, network.fields[key].default]));

/** §3.2: 10⁵ updates at 10⁻⁴ and 10⁵ at 10⁻⁵. */
const SRGAN_STEPS = 2e5;

/**
 * The default options of a variant: the paper's numbers. Some depend on the `given` options: an SRGAN lowers its learning
 * rate after half of its `steps`, `init` determines channels and blocks, and with another `optimizer` than the recipe's the
 * recipe's learning rates do not apply.
 */
export function defaultsOf(
  variant: Variant,
  given: { readonly steps?: unknown; readonly init?: unknown; readonly optimizer?: unknown } = {},
): Readonly<Partial<Record<TrainOption, unknown>>> {
  const { adversarial, rescale, variation, network } = variant;
  const half = typeof given.steps === 'number' && given.steps > 1 ? Math.floor(given.steps / 2) : SRGAN_STEPS / 2;
  const { recipe } = network;
  const optimizer = given.optimizer ?? recipe.optimizer;
  const all: Partial<Record<TrainOption, unknown>> = {
    ...Object.fromEntries(KEYS.map(key => [key, Options.shape[key].safeParse(undefined).data])),
    model: variant.name,
    ...((given.init ?? (adversarial ? undefined : 'none')) === 'none' && sizesOf(variant)),
    ...ADAM,
    momentum: 0.9,
    weightDecay: 0,
    clipValue: 0,
    lastRate: 1,
    optimizer: recipe.optimizer,
    ...(optimizer === recipe.optimizer ? recipe.options : withoutRates(recipe.options)),
    ...(adversarial && { steps: SRGAN_STEPS, lrSchedule: 'step', lrStepEvery: half }),
    discriminatorChannels: 64,
    discriminatorHidden: 1024,
    adversarialWeight: ADVERSARIAL_WEIGHT,
    pixelLoss: 'mse',
    vggRescale: rescale,
    vggDivisor: 'mean',
    tvWeight: variation,
  };
  return Object.fromEntries(
    Object.entries(all).filter(
      ([key, value]) => value !== undefined && applies(key as TrainOption, variant, optimizer),
    ),
  );
}

/** Options of a recipe that suit its optimizer only. */
const RATES: readonly string[] = ['lr', 'lrSchedule', 'lrFloor', 'lrStepEvery', 'lrStepFactor'] satisfies TrainOption[];

const withoutRates = (options: Recipe['options']): Recipe['options'] =>
  Object.fromEntries(Object.entries(options).filter(([key]) => !RATES.includes(key)));

/**
 * The options that apply to a variant, in the order of the help. `given`: as for `defaultsOf`; without an `optimizer` the
 * options of all optimizers.
 */
export function optionsOf(variant: Variant, given: Parameters<typeof defaultsOf>[1] = {}): readonly OptionHelp[] {
  const defaults = defaultsOf(variant, given);
  return KEYS.flatMap(key => {
    const { kind, placeholder, help } = infoOf(key);
    if (key === 'model' || kind === 'recorded' || !applies(key, variant, given.optimizer)) return [];
    return [
      {
        key,
        flags: kind === 'switch' ? flagOf(key) : `${flagOf(key)} <${placeholder}>`,
        help,
        group: groupOf(key),
        repeatable: kind === 'list',
        default: defaults[key],
      },
    ];
  });
}

/**
 * A complete, valid configuration. Channels and blocks are left out if the weights of `init` determine them.
 * @param commandLine camelCase keys; numbers may be text.
 * @throws ConfigError naming every wrong option, where it was set, what was expected and what was given.
 */
export function parseConfig(commandLine: Readonly<Record<string, unknown>>, file?: ConfigFile): TrainConfig {
  const overrides = withNumbers(commandLine);
  const nameOf = (key: string) =>
    file && key in file.options && !(key in overrides) ? `${file.path}: ${key}` : flagOf(key);
  const given: Record<string, unknown> = { ...file?.options, ...overrides };
  const variant = variantOfConfig({ model: typeof given.model === 'string' ? given.model : 'srresnet' });
  const input: Record<string, unknown> = { ...defaultsOf(variant, given), ...given };
  const result = TrainConfigSchema.safeParse(input);
  const problems = new Map<string, string>();
  for (const issue of result.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      const names = shortList(issue.keys.map(nameOf));
      problems.set(issue.keys[0], `${names}: unknown option; the options are ${KEYS.join(', ')}`);
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

/** The options that a variant requires but the configuration lacks, with advice. */
function missing({ model, init, vgg }: TrainConfig): Map<TrainOption, string> {
  const variant = variantOfConfig({ model });
  const problems = new Map<TrainOption, string>();
  if (variant.adversarial && init === undefined)
    problems.set(
      'init',
      `${variant.name} starts from a trained SRResNet: first run npx daybreak train srresnet --data … --out RUN, then ` +
        'use --init RUN (or --init none for random weights)',
    );
  if (variant.vgg && vgg === undefined)
    problems.set(
      'vgg',
      `${variant.name} compares features of VGG19, whose weights do not come with Daybreak. ${VGG_ADVICE}`,
    );
  return problems;
}

/** Commander's values without undefined ones; text that is a number becomes one if the option is a number. */
function withNumbers(commandLine: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(commandLine)) {
    if (value === undefined) continue;
    const isNumeric =
      isOption(key) && infoOf(key).kind === 'number' && typeof value === 'string' && value.trim() !== '';
    given[key] = isNumeric && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return given;
}

interface Issue {
  readonly code?: string;
  readonly message: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** At most five names, each cut to 40 characters, so that they fit on a line. */
function shortList(names: readonly string[]): string {
  const short = names.slice(0, 5).map(name => (name.length > 40 ? `${name.slice(0, 39)}…` : name));
  return JSON.stringify(short.join(', ')).slice(1, -1) + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

function problemOf(key: TrainOption, value: unknown, issue: Issue): string {
  if (issue.code === 'custom') {
    if (issue.params?.sentence) return issue.message;
    // A check across options may concern one that was left at its default.
    return `expected ${issue.message}, got ${quoted(value)}`;
  }
  const { expected } = infoOf(key);
  return value === undefined ? `missing; expected ${expected}` : `expected ${expected}, got ${quoted(value)}`;
}
