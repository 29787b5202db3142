/** `daybreak train`: trains a network in a run folder. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type ConfigFile, parseConfig, type TrainConfig } from '../train/config/config.ts';
import { readConfigFile } from '../train/config/config-file.node.ts';
import { parseOverride } from '../train/config/dotted-names.ts';
import { type ConfigSources, configLines, givenLine } from '../train/config/origins.ts';
import { resumeConfig } from '../train/config/resume.ts';
import { ConfigError } from '../train/errors.ts';
import { selectionOf } from '../train/report/selection.ts';
import type { SessionOptions } from '../train/run/session.node.ts';
import { holdsRun, readRunConfig } from '../train/run-folder/folder.node.ts';
import { SHOWN_VARIANTS, VARIANT_NAMES, VARIANTS, type Variant, variantOf } from '../train/variants.ts';
import { collect, naturalNumber, positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { addDeviceOptions, type DeviceChoice } from './open-device.ts';
import { printResult, withDisplay } from './train-display.ts';
import { addConfigOptions, commandOf } from './train-options.ts';

/** Options of this invocation, which are not stored with the run. */
interface Invocation extends DeviceChoice {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly resume?: boolean;
  readonly stopAfter?: number;
  readonly json?: boolean;
  /** True if no file was named. */
  readonly profile?: string | true;
  readonly profileSteps?: number;
}

/** Adds a command for each variant. Lists those of the paper; the others follow a pattern that the help describes. */
export function addTrainCommand(program: Command): void {
  const train = program
    .command('train')
    .description('train a network on pictures or on synthetic images')
    .usage('<variant> [options]')
    .argument('[variant]', 'the network and its loss')
    .addHelpText('after', HELP)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((name: string | undefined) => {
      if (name === undefined) train.help({ error: true });
      throw new UsageError(`unknown variant ${name}, expected ${VARIANT_NAMES}`);
    });
  for (const variant of VARIANTS) addVariant(train, variant);
}

const HELP = `
Each variant has its own help: daybreak train srgan --help. Names follow Ledig et
al. 2017. For other layers of VGG19, use -vggIJ from vgg11 to vgg54, for example
srresnet-vgg34, srgan-vgg51 or srgan-slides-vgg34.`;

function addVariant(train: Command, variant: Variant): void {
  const { name, alias, label, summary, adversarial } = variant;
  const hidden = !SHOWN_VARIANTS.includes(variant);
  const command = train.command(name, { hidden }).summary(summary);
  if (alias !== undefined) command.alias(alias);
  command.description(`train ${label}: ${summary} (Ledig et al. 2017)`);
  addConfigOptions(command, variant);
  addDeviceOptions(command.optionsGroup('This invocation:'))
    .option(
      '--config <FILE>',
      'read options from a JSON file (camelCase, flat or nested); the command line overrides them',
    )
    .addOption(
      new Option(
        '--set <OPTION=VALUE>',
        'set any option by its dotted name, such as lr.schedule=cosine; repeatable',
      ).argParser(collect),
    )
    .option('--dry-run', 'prepare the run, show what it needs and where each option comes from, and stop')
    .option('--resume', 'resume the run in --out from its last checkpoint, as if it had never stopped')
    .option('--stop-after <N>', 'stop after N updates in total; the run can be resumed', naturalNumber)
    .option('--json', 'print the result as JSON')
    .option(
      '--profile [FILE]',
      'show where the time of an update goes, and write a trace for Perfetto or chrome://tracing (default: RUN/profile.json)',
    )
    .option('--profile-steps <N>', 'profile N updates, and N more dispatch by dispatch (default: 3)', positiveInteger)
    .addHelpText(
      'after',
      '\nThe model is RUN/checkpoints/last/model.safetensors. The checkpoint best/ is chosen on the first --eval set\n' +
        `by ${selectionOf(variant).words}. With --ema or --recalibrate, the evaluated model is\n` +
        'model-scored.safetensors in the same folder. Ctrl-C, SIGTERM and SIGHUP save before stopping.\n' +
        'Example:\n  ' +
        (adversarial ? exampleOf(variant) : SRRESNET_EXAMPLE),
    )
    .action(async (options: Record<string, unknown>) => {
      await runTraining(name, options);
    });
}

const SRRESNET_EXAMPLE =
  'daybreak train srresnet --data synthetic --out runs/first --channels 16 --blocks 2 --steps 1000 --crop 48 --lr 4e-3';
const exampleOf = ({ name, vgg }: Variant) =>
  `daybreak train ${name} --init runs/first --data synthetic --out runs/second --steps 1000 --crop 48 ` +
  `--discriminator-channels 16 --discriminator-hidden 64${vgg ? ' --vgg vgg19.safetensors' : ''}`;

/** Options that are not part of the run's configuration. */
export const INVOCATION_OPTIONS = [
  'config',
  'set',
  'dryRun',
  'resume',
  'stopAfter',
  'adapter',
  'tuned',
  'json',
  'profile',
  'profileSteps',
];

async function runTraining(model: string, options: Record<string, unknown>): Promise<void> {
  const invocation = options as Invocation;
  const flags = Object.fromEntries(Object.entries(options).filter(([key]) => !INVOCATION_OPTIONS.includes(key)));
  try {
    const given = withOverrides(flags, invocation.set ?? []);
    checkModel(model, given.model);
    checkInvocation(invocation, given.out);
    const { config, sources } = await configOf({ ...given, model }, invocation);
    if (invocation.dryRun) return await printDryRun(config, sources, invocation);
    if (invocation.config || invocation.set) process.stderr.write(`options: ${givenLine(config, sources)}\n`);
    const { resumeSession, startSession } = await import('../train/run/session.node.ts');
    const session = invocation.resume ? resumeSession : startSession;
    const result = await withDisplay(
      () => config,
      invocation,
      async display =>
        await session(config, { ...display, command: commandOf(config), ...profileOf(config, invocation) }),
    );
    printResult(result, config, invocation.json ?? false);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

/** @throws UsageError if options of the invocation contradict each other. */
function checkInvocation({ resume, config, profile, profileSteps, dryRun, stopAfter }: Invocation, out: unknown): void {
  if (profileSteps !== undefined && profile === undefined) throw new UsageError('--profile-steps needs --profile');
  if (dryRun && (profile !== undefined || stopAfter !== undefined))
    throw new UsageError('--dry-run trains nothing: omit --profile and --stop-after');
  if (!resume) return;
  if (config !== undefined)
    throw new UsageError('--config is for new runs; --resume uses the configuration of the run in --out');
  if (typeof out !== 'string') throw new UsageError('--resume needs --out, the folder of the run');
  if (!holdsRun(out))
    throw new UsageError(`${out}: not the folder of a run (no config.json); omit --resume to start a run there`);
}

/** The configuration: the command line over the run's configuration or a file, over the defaults. */
async function configOf(
  given: Readonly<Record<string, unknown>>,
  { resume, config: path }: Invocation,
): Promise<{ readonly config: TrainConfig; readonly sources: ConfigSources }> {
  if (resume) {
    const stored = await readRunConfig(String(given.out));
    const file = { path: 'the run', options: stored };
    return { config: resumeConfig(stored, given), sources: { commandLine: given, file } };
  }
  const file = path === undefined ? undefined : await readConfigFile(path);
  if (file) noteOtherModel(String(given.model), file);
  return { config: parseConfig(given, file), sources: { commandLine: given, file } };
}

function profileOf({ out }: TrainConfig, { profile, profileSteps: steps = 3 }: Invocation): Partial<SessionOptions> {
  return profile === undefined
    ? {}
    : { profile: { file: profile === true ? join(out, 'profile.json') : profile, steps } };
}

/** @throws ConfigError if `--set model=…` names another variant than the command. */
function checkModel(model: string, given: unknown): void {
  if (given === undefined || (variantOf(String(given)) ?? given) === variantOf(model)) return;
  throw new ConfigError(
    `--set model: expected ${model}, the variant of this command, got ${given}; to train another one, use daybreak train ` +
      `${variantOf(String(given)) ? given : 'VARIANT'} (${VARIANT_NAMES})`,
    'model',
  );
}

/** Prints a note if a configuration file was written for another variant. Its options are used nevertheless. */
function noteOtherModel(model: string, { path, options }: ConfigFile): void {
  const other = options.model;
  if (typeof other !== 'string' || variantOf(other) === variantOf(model)) return;
  process.stderr.write(`note: ${path} was written for ${other}; training ${model} with its options\n`);
}

/** Adds the options of `--set` to those of the command line. @throws ConfigError if one is given twice. */
function withOverrides(
  flags: Readonly<Record<string, unknown>>,
  overrides: readonly string[],
): Readonly<Record<string, unknown>> {
  const all: Record<string, unknown> = { ...flags };
  for (const text of overrides) {
    const [key, value] = parseOverride(text);
    if (all[key] !== undefined) throw new ConfigError(`--set ${text}: expected ${key} once, got it twice`);
    all[key] = value;
  }
  return all;
}

async function printDryRun(
  config: TrainConfig,
  sources: ConfigSources,
  { json, resume = false, ...choice }: Invocation,
): Promise<void> {
  const { dryRun, dryRunLines } = await import('../train/run/dry-run.node.ts');
  const found = await withDisplay(
    () => config,
    choice,
    session => dryRun(config, { ...session, resume }),
  );
  const lines = [...configLines(found.config, sources), '', ...dryRunLines(found)];
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : `${lines.join('\n')}\n`);
}
