/** `daybreak mos`: opinion tests: prepares a study, serves it to raters, and reports mean opinion scores. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { count, counted } from '../common/text.ts';
import { DATA_HELP, openDataSet } from '../eval/dataset.node.ts';
import { checkFolder } from '../files/output.node.ts';
import type { StudyResults } from '../mos/prepare.node.ts';
import { naturalNumber, positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, gpuOf, type MethodOptions, methodNames, openMethods } from './open-method.ts';
import { BatchProgress } from './progress.ts';

interface PrepareOptions extends MethodOptions {
  readonly data: readonly string[];
  readonly out: string;
  readonly method?: readonly string[];
  readonly results?: readonly string[];
  readonly calibration?: string;
  readonly calibrationCount?: number;
  readonly repeats?: number;
  readonly seed: number;
}

interface ServeOptions {
  readonly host: string;
  readonly port: number;
}

interface ReportOptions {
  readonly out?: string;
  readonly exclude?: readonly number[];
  readonly json?: boolean;
}

interface DemoOptions {
  readonly raters: number;
  readonly random: number;
  readonly seed: number;
}

const PREPARE_HELP = `
Without --method and --results, a study has the versions of Ledig et al. as far as
they are at hand. It always has the originals.

A results folder holds pictures of another program, named like the originals, with or
without an ending (baby.png, babyx4.png, baby_x4_SwinIR.png). It has to cover all
pictures of a set, or none.

Examples:
  daybreak mos prepare --data Set5 --data Set14 -o study
  daybreak mos prepare --data Set5 --method bicubic --results SwinIR=swinir-x4 -o study`;

const SERVE_HELP = `
Ctrl-C stops the server. Every rating is stored before its rater sees the next picture,
so a server can be stopped, or killed, at any time and started again.`;

/** Adds `mos` to the program. */
export function addMosCommand(program: Command): void {
  const mos = program.command('mos').description('Opinion tests: people rate pictures from 1 to 5, as in Ledig et al.');
  addPrepare(mos);
  mos
    .command('serve')
    .description('Serve a study to raters as a web page.')
    .argument('<study>', 'a folder of mos prepare')
    .option(
      '--host <address>',
      'address to listen at; for others than this machine, visitors need a token',
      '127.0.0.1',
    )
    .option('--port <n>', 'port to listen at; 0: any free one', naturalNumber, 8337)
    .addHelpText('after', SERVE_HELP)
    .action(serve);
  mos
    .command('report')
    .description('Write mean opinion scores, tests and figures as HTML, CSV and JSON.')
    .argument('<study>', 'a folder of mos prepare')
    .option('-o, --out <dir>', 'folder of the report (default: report in the study)')
    .option('--exclude <rater>', "leave out this rater's votes; may be repeated", collect(positiveInteger))
    .option('--json', 'print the figures as JSON, and write no files')
    .action(report);
  mos
    .command('demo')
    .description('Fill a study with simulated raters, to try it out. Every report then says so.')
    .argument('<study>', 'a folder of mos prepare, without raters')
    .option('--raters <n>', 'number of raters', positiveInteger, 26)
    .option('--random <n>', 'number of them who answer at random', naturalNumber, 1)
    .option('--seed <n>', 'seed of their answers', naturalNumber, 0)
    .action(demo);
}

function addPrepare(mos: Command): void {
  const command = mos
    .command('prepare')
    .description('Lay out a study: all versions of all pictures.')
    .requiredOption('--data <dir>', `${DATA_HELP}; may be repeated`, collect(String))
    .requiredOption('-o, --out <dir>', 'a folder for the study, missing or empty')
    .option(
      '--method <name>',
      'a version: a network or interpolation as in eval --model; may be repeated',
      collect(String),
    )
    .option('--results <label=dir>', 'a version: pictures of another program; may be repeated', collect(String))
    .option('--calibration <dir>', 'pictures for the examples of a 1 and a 5 (default: synthetic ones)')
    .option(
      '--calibration-count <n>',
      'number of pictures for the examples (default: up to 20; 5 synthetic ones)',
      naturalNumber,
    )
    .option('--repeats <n>', 'hidden repeats for each rater (default: a twentieth of the pictures)', naturalNumber)
    .option('--seed <n>', "seed of the raters' orders", naturalNumber, 0);
  addMethodOptions(command)
    .addHelpText('after', PREPARE_HELP)
    .action(async (options: PrepareOptions) => interruptible('Stopping.', signal => prepare(options, signal)));
}

/** Collects the values of an option that may be repeated. */
function collect<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}

async function prepare(options: PrepareOptions, signal: AbortSignal): Promise<void> {
  const { data, out, method: given, results: folders, calibration, calibrationCount, repeats, seed } = options;
  const { prepareStudy } = await import('../mos/prepare.node.ts');
  const { defaultVersions, ORIGINAL } = await import('../mos/versions.ts');
  const { itemsOf, presentationCount } = await import('../mos/study.ts');
  await checkFolder(out);
  const isDefault = given === undefined && folders === undefined;
  const paper = isDefault ? defaultVersions(await methodNames()) : undefined;
  const names = given ?? paper?.methods ?? [];
  const sets = [];
  for (const folder of data) sets.push(await openDataSet(folder));
  const opened = await openMethods(
    names.filter(name => name !== ORIGINAL),
    options,
    gpuOf(options),
  );
  const methods = opened.map(({ label, model, method }) => ({ label, source: model, method }));
  const results = (folders ?? []).map(resultsOf);
  const examples = calibration === undefined ? undefined : await openDataSet(calibration);
  const pictures = sets.reduce((sum, { entries }) => sum + entries.length, 0);
  using progress = new BatchProgress(pictures * (methods.length + results.length + 1));
  let stored = 0;
  const { study } = await prepareStudy(
    out,
    { sets, methods, results, calibration: examples, calibrationCount, repeats, seed, asInPaper: isDefault },
    {
      signal,
      onNote: note => progress.line(`note: ${note}`),
      onPicture: name => progress.update(Math.min(++stored, pictures * (methods.length + results.length + 1)), name),
    },
  );
  for (const { name, standIn } of paper?.missing ?? []) {
    const instead = standIn === undefined ? '' : `; the shipped ${standIn} stands in for it`;
    progress.line(`note: ${name} of the paper is missing${instead}`);
  }
  const labels = study.versions.map(({ label }) => label);
  process.stdout.write(
    `${out}: ${counted(labels.length, 'version')} (${labels.join(', ')}) of ${counted(pictures, 'picture')}, ${count(itemsOf(study).length)} to rate\n` +
      `each rater sees ${counted(study.calibration.length * 2, 'example')} and gives ${counted(presentationCount(study), 'rating')}, ${study.repeats} of them repeats\n`,
  );
}

function resultsOf(text: string): StudyResults {
  const [, label, folder] = /^([^=/\\]+)=(.+)$/.exec(text) ?? [];
  if (folder !== undefined) return { label, folder };
  if (text.startsWith('=')) throw new UsageError(`--results: expected LABEL=DIR or DIR, got ${text}`);
  const name = resolve(text).split(/[\\/]/).at(-1) ?? text;
  return { label: name, folder: text };
}

async function serve(folder: string, { host, port }: ServeOptions): Promise<void> {
  if (port > 65_535) throw new UsageError(`--port: expected 0 to 65535, got ${port}`);
  const { openStudy } = await import('../mos/study-folder.node.ts');
  const { serveStudy } = await import('../mos/server/serve.node.ts');
  const open = await openStudy(folder);
  await interruptible('Stopping.', async signal => {
    const onError = (line: string) => process.stderr.write(`${line}\n`);
    await using served = await serveStudy(open, { host, port, onError });
    const { raters, votes } = served.store.read();
    process.stdout.write(`${folder}: ${counted(raters.length, 'rater')}, ${counted(votes.length, 'rating')} so far\n`);
    if (served.hasToken) {
      process.stdout.write(
        'anyone with this link can take part; it is shown only now, and the next start makes another:\n',
      );
    }
    process.stdout.write(`${served.url}\n`);
    await new Promise<void>(done => signal.addEventListener('abort', () => done(), { once: true }));
  });
}

async function report(folder: string, { out, exclude, json }: ReportOptions): Promise<void> {
  const { openStudy } = await import('../mos/study-folder.node.ts');
  const { reportOf, writeMosReport } = await import('../mos/report/report.node.ts');
  const { simulationNote } = await import('../mos/report/page.ts');
  const computed = await reportOf(await openStudy(folder), { exclude: exclude ?? [] });
  if (json) {
    process.stdout.write(computed.files['report.json']);
    return;
  }
  const { mosTable } = await import('./mos-table.ts');
  const { analysis } = computed;
  const path = await writeMosReport(out ?? `${folder.replace(/[\\/]+$/, '')}/report`, computed);
  const note = simulationNote(analysis);
  const doubts = analysis.raters.flatMap(({ number, doubts: all }) => all.map(doubt => `rater ${number}: ${doubt}`));
  const lines = [...(note ? [note] : []), ...analysis.sets.map(mosTable), ...doubts, path];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function demo(folder: string, { raters, random, seed }: DemoOptions): Promise<void> {
  if (random > raters)
    throw new UsageError(`--random: expected at most ${raters}, the number of raters, got ${random}`);
  const { openStudy } = await import('../mos/study-folder.node.ts');
  const { fillStudy } = await import('../mos/demo.node.ts');
  const votes = await fillStudy(await openStudy(folder), { raters, random, seed });
  process.stdout.write(`${folder}: ${counted(votes, 'rating')} of ${counted(raters, 'simulated rater')}\n`);
}
