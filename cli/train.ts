/** `daybreak train`: a network from pictures, in a run folder. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { forShell } from '../common/text.ts';
import { decimals } from '../eval/protocols.ts';
import { type ConfigFile, parseConfig, type TrainConfig, variantOfConfig } from '../train/config/config.ts';
import { readConfigFile } from '../train/config/config-file.node.ts';
import { parseOverride } from '../train/config/dotted-names.ts';
import { type ConfigSources, configLines, givenLine } from '../train/config/origins.ts';
import { resumeConfig } from '../train/config/resume.ts';
import { ConfigError } from '../train/errors.ts';
import { setMeans } from '../train/report/report-content.ts';
import { selectionOf } from '../train/report/selection.ts';
import type { SessionOptions, SessionResult } from '../train/run/session.node.ts';
import { holdsRun, readRunConfig } from '../train/run-folder/folder.node.ts';
import { SHOWN_VARIANTS, shortName, VARIANT_NAMES, VARIANTS, type Variant, variantOf } from '../train/variants.ts';
import { naturalNumber, positiveInteger } from './arguments.ts';
import { Interrupted, UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addDeviceOptions, type DeviceChoice, openDevice } from './open-device.ts';
import { PhaseProgress, TrainingProgress } from './progress.ts';
import { addConfigOptions, collect, commandOf } from './train-options.ts';

export { commandOf };

/** Options of one invocation, beside those of the run itself. */
interface Invocation extends DeviceChoice {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly resume?: boolean;
  readonly stopAfter?: number;
  readonly json?: boolean;
  /** True where no file was named. */
  readonly profile?: string | true;
  readonly profileSteps?: number;
}

/** A command for each variant. Only those of the paper are listed; the others are named by their pattern. */
export function addTrainCommand(program: Command): void {
  const train = program
    .command('train')
    .description('train a network on pictures or on synthetic images')
    .usage('<variant> [options]')
    .argument('[variant]', 'what to train')
    .addHelpText('after', HELP)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((name: string | undefined) => {
      if (name === undefined) train.help({ error: true });
      throw new UsageError(`there is no ${name} to train, expected ${VARIANT_NAMES}`);
    });
  for (const variant of VARIANTS) addVariant(train, variant);
}

const HELP = `
Each variant has its own help: daybreak train srgan --help. Other layers of VGG19
than those of the paper go by -vggIJ, from vgg11 to vgg54 (srresnet-vgg34,
srgan-vgg51, srgan-slides-vgg34). The names are those of Ledig et al. 2017.`;

function addVariant(train: Command, variant: Variant): void {
  const { name, alias, label, summary, adversarial } = variant;
  const hidden = !SHOWN_VARIANTS.includes(variant);
  const command = train.command(name, { hidden }).summary(summary);
  if (alias !== undefined) command.alias(alias);
  command.description(`train ${label}: ${summary} (Ledig et al. 2017)`);
  addConfigOptions(command, variant);
  addDeviceOptions(command.optionsGroup('This time:'))
    .option('--config <FILE>', 'JSON file with any of these options in camelCase, or nested; the command line wins')
    .addOption(
      new Option('--set <OPTION=VALUE>', 'any option by its dotted name: lr.schedule=cosine; repeatable').argParser(
        collect,
      ),
    )
    .option('--dry-run', 'read and prepare all, say what the run would take and where each option comes from, and stop')
    .option('--resume', 'go on with the run in --out from its last checkpoint, as if it had never stopped')
    .option('--stop-after <N>', 'stop after N updates in all; the run can be resumed', naturalNumber)
    .option('--json', 'print the result as JSON')
    .option(
      '--profile [FILE]',
      'say where the time of an update goes, and write a trace for Perfetto or chrome://tracing (default: RUN/profile.json)',
    )
    .option(
      '--profile-steps <N>',
      'updates to profile, and as many again dispatch by dispatch (default: 3)',
      positiveInteger,
    )
    .addHelpText(
      'after',
      '\nThe model is RUN/checkpoints/last/model.safetensors; best/ is chosen on the first --eval set by\n' +
        `${selectionOf(variant).words};\n` +
        'with --ema or --recalibrate what is scored is model-scored.safetensors beside it.\n' +
        'Ctrl-C and SIGTERM save first. Example:\n  ' +
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

/** Options that are no part of the run's configuration. */
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
  const own = options as Invocation;
  const told = Object.entries(options).filter(([key]) => !INVOCATION_OPTIONS.includes(key));
  try {
    const overridden = withOverrides(Object.fromEntries(told), own.set ?? []);
    refuseOtherModel(model, overridden.model);
    const given: Record<string, unknown> = { ...overridden, model };
    if (own.resume && own.config !== undefined)
      throw new UsageError('--config belongs to a new run; --resume reads that of the run');
    if (own.profileSteps !== undefined && own.profile === undefined)
      throw new UsageError('--profile-steps belongs to --profile');
    if (own.resume && typeof given.out !== 'string')
      throw new UsageError('--resume needs --out: the folder of the run');
    if (own.resume && !holdsRun(String(given.out)))
      throw new UsageError(
        `${given.out}: holds no run to resume (no config.json); without --resume a new one starts here`,
      );
    if (own.dryRun && (own.profile !== undefined || own.stopAfter !== undefined))
      throw new UsageError('--dry-run trains nothing: leave --profile and --stop-after out');
    const stored = own.resume ? await readRunConfig(String(given.out)) : undefined;
    const file = stored ? { path: 'the run', options: stored } : own.config && (await readConfigFile(own.config));
    if (file && !stored) noteOtherModel(model, file);
    const config = stored ? resumeConfig(stored, given) : parseConfig(given, file || undefined);
    const sources: ConfigSources = { commandLine: given, file: file || undefined };
    if (own.dryRun) return await printDryRun(config, sources, own);
    if (own.config || own.set) process.stderr.write(`options: ${givenLine(config, sources)}\n`);
    const command = commandOf(config);
    const result = await withDisplay(
      () => config,
      own,
      async session => {
        const { resumeSession, startSession } = await import('../train/run/session.node.ts');
        const { profile: file, profileSteps: steps = 3 } = own;
        const profile = file !== undefined && { file: file === true ? join(config.out, 'profile.json') : file, steps };
        const complete = { ...session, command, ...(profile && { profile }) };
        return await (own.resume ? resumeSession : startSession)(config, complete);
      },
    );
    printResult(result, config, own.json ?? false);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

/** @throws ConfigError where `--set model=…` names another variant than the command. */
function refuseOtherModel(model: string, told: unknown): void {
  if (told === undefined || (variantOf(String(told)) ?? told) === variantOf(model)) return;
  throw new ConfigError(
    `--set model=${told}: this command trains ${model}; another variant is another command: daybreak train ` +
      `${variantOf(String(told)) ? told : 'VARIANT'} (${VARIANT_NAMES})`,
    'model',
  );
}

/** A file that was written for another variant gives its options to this one. */
function noteOtherModel(model: string, { path, options }: ConfigFile): void {
  const told = options.model;
  if (typeof told !== 'string' || variantOf(told) === variantOf(model)) return;
  process.stderr.write(`note: ${path} says model ${told}; this command trains ${model} with its options\n`);
}

/** The options of the command line with those of `--set`. @throws ConfigError where both say one. */
function withOverrides(
  flags: Readonly<Record<string, unknown>>,
  overrides: readonly string[],
): Readonly<Record<string, unknown>> {
  const all: Record<string, unknown> = { ...flags };
  for (const text of overrides) {
    const [key, value] = parseOverride(text);
    if (all[key] !== undefined) throw new ConfigError(`--set ${text}: ${key} is given twice`);
    all[key] = value;
  }
  return all;
}

async function printDryRun(config: TrainConfig, sources: ConfigSources, own: Invocation): Promise<void> {
  const { dryRun, dryRunLines } = await import('../train/run/dry-run.node.ts');
  const found = await withDisplay(
    () => config,
    own,
    session => dryRun(config, { ...session, resume: own.resume ?? false }),
  );
  const lines = [...configLines(found.config, sources), '', ...dryRunLines(found)];
  process.stdout.write(own.json ? `${JSON.stringify(found, null, 2)}\n` : `${lines.join('\n')}\n`);
}

/** Gives a session a device, a display and the signals. `config` is asked for when training begins. */
export async function withDisplay<R extends { readonly step: number; readonly finished?: boolean }>(
  config: () => TrainConfig,
  { stopAfter, ...choice }: DeviceChoice & Pick<Invocation, 'stopAfter'>,
  work: (options: Omit<SessionOptions, 'command'>) => Promise<R>,
): Promise<R> {
  using device = await openDevice(choice);
  let phase: { name: string; display: PhaseProgress } | undefined;
  let training: TrainingProgress | undefined;
  const endPhase = () => {
    phase?.display[Symbol.dispose]();
    phase = undefined;
  };
  const endTraining = () => {
    training?.[Symbol.dispose]();
    training = undefined;
  };
  try {
    return await interruptible('Saving a checkpoint …', async signal => {
      const result = await work({
        device,
        reopen: () => openDevice(choice),
        signal,
        ...(stopAfter !== undefined && { stopAfter }),
        onPhase: (name, done, total) => {
          endTraining();
          if (phase?.name !== name) {
            endPhase();
            phase = { name, display: new PhaseProgress(name) };
          }
          phase.display.update(done, total);
          if (done === total) endPhase();
        },
        onStep: status => {
          endPhase();
          training ??= new TrainingProgress(config().steps, status.step - 1);
          training.update(status);
        },
        onLine: text => {
          const display = phase?.display ?? training;
          if (display) display.line(text);
          else process.stderr.write(`${text}\n`);
        },
      });
      if (signal.aborted && result.finished === false) {
        endTraining();
        process.stderr.write(
          `saved after ${result.step} updates; go on with: npx daybreak train ${shortName(variantOfConfig(config()))} --resume --out ${forShell(config().out)}\n`,
        );
        throw signal.reason instanceof Interrupted ? signal.reason : new Interrupted('SIGINT');
      }
      return result;
    });
  } finally {
    endPhase();
    endTraining();
  }
}

export function printResult(result: SessionResult, config: TrainConfig, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const { folder, model: file, step, finished, scores, waitedForData, skipped } = result;
  const lines = [
    finished
      ? `trained ${step} updates`
      : `stopped after ${step} of ${config.steps} updates; go on with --resume --out ${forShell(config.out)}`,
  ];
  if (skipped !== undefined) lines.push(`${skipped} of them were not finite and skipped`);
  lines.push(`the GPU waited ${waitedForData.toFixed(2)} s for data`);
  for (const { data, images } of scores) {
    const { model, initial, bicubic } = setMeans({ data, images });
    const before = initial ? `, initial SRResNet ${decimals(initial.psnr, 2)} dB` : '';
    lines.push(
      `${data}: ${decimals(model.psnr, 2)} dB${before}, bicubic ${decimals(bicubic.psnr, 2)} dB (mean PSNR, protocol matlab)`,
    );
    const beside = (key: 'texture' | 'vgg_distance') =>
      `${decimals(model[key]!, 3)}${initial ? ` (initial SRResNet ${decimals(initial[key]!, 3)})` : ''}`;
    if (model.texture !== undefined) lines.push(`  fine texture ${beside('texture')}; the original's is 1`);
    if (model.vgg_distance !== undefined) lines.push(`  distance of VGG features ${beside('vgg_distance')}`);
  }
  lines.push(`model: ${file}`, `report: ${folder}/report.html`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
