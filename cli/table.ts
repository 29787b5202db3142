/** `daybreak table`: scores of many methods on sets, beside the tables that Ledig et al. print. */

import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import { DaybreakError } from '../common/errors.ts';
import { daybreakVersion, processorName } from '../common/machine.node.ts';
import { counted, forShell, jsonText } from '../common/text.ts';
import { type DataSet, LOW_MAKERS, type LowMaker, openDataSet, readPairs } from '../eval/dataset.node.ts';
import { meanFigures, type Pair } from '../eval/evaluate.ts';
import { PAPER_METHODS } from '../eval/paper-tables.ts';
import { decimals, scores } from '../eval/protocols.ts';
import { openResults } from '../eval/results.node.ts';
import { missingRows, printedFor, type ScoreTable, type TableRow, tablesCsv, tablesMarkdown } from '../eval/table.ts';
import { bytesOf, digestOf, RowStore, type TimedScores } from '../eval/table-rows.node.ts';
import { sha256Of } from '../files/digest.node.ts';
import { checkFolder, writeText } from '../files/output.node.ts';
import { ImageError } from '../image/errors.ts';
import type { Picture } from '../image/picture.ts';
import { listPretrained } from '../models/pretrained.node.ts';
import { collect } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import {
  addMethodOptions,
  type Gpu,
  gpuOf,
  labelOf,
  type MethodOptions,
  modelFileOf,
  openMethod,
  READY_METHODS,
} from './open-method.ts';
import { BatchProgress, percentage } from './progress.ts';

interface TableOptions extends MethodOptions {
  readonly data: readonly string[];
  readonly method?: readonly string[];
  readonly results?: readonly string[];
  readonly lr?: LowMaker;
  readonly out: string;
}

const HELP = `
Writes DIR/tables.md, tables.csv and tables.json. Scores are by the paper's protocol,
with MATLAB's beside it; the paper's printed figures are found by the set's folder
(Set5, Set14, BSD100) and the row's label. LABEL=NAME gives a row another label:
--method SRCNN=srcnn_915_x4.safetensors. Without --method, all methods and shipped
networks that need no further file are scored.

Finished pictures are kept in DIR/rows: a stopped table continues with the same
command. A row whose pictures or weights have changed is scored again. A method that
cannot be opened has a row with the reason, and the exit code is then 1.

Examples:
  daybreak table --data Set5 --data Set14 --data BSD100
  daybreak table --data Set5 --method bicubic --method VDSR=vdsr.safetensors \\
    --results SRResNet-MSE=their-pictures`;

/** Adds `table` to the program. */
export function addTableCommand(program: Command): void {
  const command = program
    .command('table')
    .description("Put scores of methods beside the paper's printed tables.")
    .requiredOption('--data <dir>', 'a set of pictures, as for eval; may be repeated', collect)
    .option('--method <name>', 'NAME or LABEL=NAME, a model as for eval; may be repeated', collect)
    .option('--results <dir>', 'DIR or LABEL=DIR, results as for eval; may be repeated', collect)
    .addOption(new Option('--lr <program>', "make the LR pictures by this program's bicubic").choices(LOW_MAKERS))
    .option('--out <dir>', 'the folder of the tables', 'tables');
  addMethodOptions(command)
    .addHelpText('after', HELP)
    .action(async (options: TableOptions) => {
      process.exitCode = await interruptible('Stopping after this picture.', signal => makeTables(options, signal));
    });
}

/** A value with a label of its own, or the label that it implies. */
interface Labelled {
  readonly label: string | undefined;
  readonly value: string;
}

function labelled(text: string): Labelled {
  const at = text.indexOf('=');
  if (at < 1) return { label: undefined, value: text };
  return { label: text.slice(0, at), value: text.slice(at + 1) };
}

/** A row before it is scored. */
interface Planned {
  readonly label: string;
  /** What its scores depend on; undefined for results that exist: reading them again is quicker than to tell whether to. */
  readonly identity: string | undefined;
  /** The result for a pair, and its duration. Opened when it is first needed. @throws ImageError if there is none. */
  readonly open: () => Promise<(pair: Pair, control: RowControl) => Promise<Timed>>;
}

interface RowControl {
  readonly signal: AbortSignal;
  readonly onPart: (text: string, part: number) => void;
  readonly onNote: (note: string) => void;
}

interface Timed {
  readonly result: Picture;
  readonly seconds?: number;
}

/** @returns 0 if every row of every set has all its pictures, otherwise 1. */
async function makeTables(options: TableOptions, signal: AbortSignal): Promise<number> {
  const { data, out, lr } = options;
  await checkFolder(out);
  const sets = await Promise.all(data.map(folder => openDataSet(folder, lr)));
  const ready = [...READY_METHODS, ...(await listPretrained()).map(({ name }) => name)];
  const methods = await plannedMethods(options, ready);
  const tables: ScoreTable[] = [];
  let complete = true;
  for (const set of sets) {
    const notes: string[] = [];
    const rows = [...methods, ...(await plannedResults(options.results ?? [], set, note => notes.push(note)))];
    checkLabels(rows);
    const scored = await scoreRows(set, rows, out, notes, signal);
    complete &&= scored.every(({ mean, pictures }) => mean !== undefined && pictures === set.entries.length);
    const name = nameOf(set);
    const table = { set: name, pictures: set.entries.length, origin: set.origin };
    tables.push({ ...table, rows: [...scored, ...missingRows(name, scored, ready)] });
    // After every set, so that a stopped table shows what is done.
    await writeTables(options, tables);
    process.stdout.write(`${terminalTable(tables.at(-1)!)}\n`);
  }
  process.stdout.write(`${join(out, 'tables.md')}, tables.csv, tables.json\n`);
  return complete ? 0 : 1;
}

const nameOf = (set: DataSet) => basename(resolve(set.folder));

/** The command line that makes these tables. */
function commandOf({ data, method, results, lr, dictionary }: TableOptions): string {
  const options = { data, method, results, lr, dictionary };
  const words = Object.entries(options).flatMap(([key, values]) =>
    [values ?? []].flat().map(value => `--${key} ${forShell(value)}`),
  );
  return `npx daybreak table ${words.join(' ')}`;
}

async function writeTables(options: TableOptions, tables: readonly ScoreTable[]): Promise<void> {
  const { out } = options;
  const about = [
    `Made by Daybreak ${daybreakVersion()}:`,
    `\`\`\`sh\n${commandOf(options)}\n\`\`\``,
    `Times were measured on ${counted(availableParallelism(), 'core')} of ${processorName()}.`,
  ];
  await writeText(join(out, 'tables.md'), tablesMarkdown(tables, 'Scores beside the paper', about));
  await writeText(join(out, 'tables.csv'), tablesCsv(tables));
  const sets = tables.map(table => ({
    ...table,
    rows: table.rows.map(row => ({ ...row, printed: printedFor(table.set, row.label) ?? null })),
  }));
  await writeText(join(out, 'tables.json'), jsonText({ daybreak: daybreakVersion(), sets }));
}

/** The methods of the options, or all that are ready. */
async function plannedMethods(options: TableOptions, ready: readonly string[]): Promise<Planned[]> {
  const { method, results } = options;
  const names = method ?? (results === undefined ? ready : []);
  const gpu: Gpu = gpuOf(options);
  return await Promise.all(
    names.map(labelled).map(async ({ label, value }): Promise<Planned> => {
      const name = label ?? paperName(labelOf(value));
      const open = async () => {
        const { method } = await openMethod(value, options, gpu);
        return async ({ lr }: Pair, { signal, onPart, onNote }: RowControl): Promise<Timed> => {
          const began = performance.now();
          const result = await method(lr, {
            signal,
            onNote,
            onTile: (tile, tiles) => onPart(`tile ${tile}/${tiles}`, tile / tiles),
            onProgress: (part, all) => onPart(percentage(part, all), part / all),
          });
          return { result, seconds: (performance.now() - began) / 1000 };
        };
      };
      // Names that cannot be opened have a row that says why; see `scoreRows`.
      const file = await modelFileOf(value).catch(() => undefined);
      const dictionary = options.dictionary === undefined ? '' : sha256Of(await bytesOf(options.dictionary));
      const weights = file === undefined ? '' : sha256Of(await bytesOf(file));
      return { label: name, identity: [value, weights, dictionary, daybreakVersion()].join(' '), open };
    }),
  );
}

/** `SRGAN` for `srgan`: rows of methods that the paper has are called as there. */
const paperName = (label: string) =>
  PAPER_METHODS.find(({ name }) => name.toLowerCase() === label.toLowerCase())?.name ?? label;

async function plannedResults(
  folders: readonly string[],
  set: DataSet,
  onNote: (note: string) => void,
): Promise<Planned[]> {
  const originals = set.entries.map(({ name }) => name);
  const rows: Planned[] = [];
  for (const { label, value } of folders.map(labelled)) {
    const opened = await openResults(value, originals, onNote).catch((error: unknown) => {
      if (!(error instanceof ImageError)) throw error;
      onNote(error.message);
      return [];
    });
    for (const one of opened) {
      const name = label ?? one.label;
      rows.push({
        label: opened.length > 1 && label !== undefined ? `${label}: ${one.label}` : name,
        identity: undefined,
        open: async () => async pair => ({ result: await one.results.of(pair) }),
      });
    }
  }
  return rows;
}

/** @throws UsageError if two rows have the same label, which their files and the reader could not tell apart. */
function checkLabels(rows: readonly Planned[]): void {
  const twice = rows.find(({ label }, i) => rows.findIndex(other => other.label === label) < i);
  if (twice) throw new UsageError(`two rows are called ${twice.label}: give one another label, LABEL=NAME`);
}

/** Scores the rows one after the other, and keeps each picture's scores. Shows progress on stderr. */
async function scoreRows(
  set: DataSet,
  rows: readonly Planned[],
  out: string,
  notes: readonly string[],
  signal: AbortSignal,
): Promise<TableRow[]> {
  const name = nameOf(set);
  const digest = await digestOf(set);
  using progress = new BatchProgress(set.entries.length * rows.length);
  for (const note of [...set.notes, ...notes]) progress.line(`note: ${note}`);
  const table: TableRow[] = [];
  for (const [index, row] of rows.entries()) {
    const first = index * set.entries.length;
    const store =
      row.identity === undefined
        ? new RowStore()
        : await RowStore.open(out, name, row.label, sha256Of(`${digest} ${row.identity}`));
    const problems: string[] = [];
    try {
      await scoreRow(set, row, store, problems, {
        signal,
        onNote: note => progress.line(`note: ${row.label}: ${note}`),
        onDone: (done, text) => progress.update(first + done, `${name} ${row.label}: ${text}`),
      });
    } catch (error) {
      // Not a fault of the other rows: a missing file, a network that this adapter cannot run.
      if (signal.aborted || !(error instanceof DaybreakError)) throw error;
      problems.push(error.message);
    }
    for (const problem of problems) progress.line(`skipped: ${row.label}: ${problem}`);
    table.push(rowOf(row.label, store.images, problems));
    progress.lineWithoutBar(`${index + 1}/${rows.length} ${name} ${row.label}`);
  }
  return table;
}

async function scoreRow(
  set: DataSet,
  row: Planned,
  store: RowStore,
  problems: string[],
  control: Pick<RowControl, 'signal' | 'onNote'> & { readonly onDone: (done: number, text: string) => void },
): Promise<void> {
  const { signal, onNote, onDone } = control;
  const entries = set.entries.filter(({ name }) => !store.has(name));
  if (entries.length === 0) return;
  const resultFor = await row.open();
  const options = { signal, onNote, onSkip: ({ message }: ImageError) => problems.push(message) };
  for await (const pair of readPairs({ ...set, entries, strays: [] }, options)) {
    const done = store.images.length;
    onDone(done, pair.name);
    try {
      const onPart = (text: string, part: number) => onDone(done + part, `${pair.name} ${text}`);
      const { result, seconds } = await resultFor(pair, { signal, onNote, onPart });
      const figures = { name: pair.name, ...scores(result, pair.hr) };
      await store.add({ ...figures, ...(seconds !== undefined && { seconds }) });
    } catch (error) {
      // A missing result does not stop the row; a full disk does.
      if (!(error instanceof ImageError)) throw error;
      problems.push(error.message);
    }
  }
}

function rowOf(label: string, images: readonly TimedScores[], problems: readonly string[]): TableRow {
  const times = images.flatMap(({ seconds }) => seconds ?? []);
  return {
    label,
    mean: images.length === 0 ? undefined : meanFigures(images),
    pictures: images.length,
    seconds: times.length === 0 ? undefined : times.reduce((a, b) => a + b, 0) / times.length,
    note: problems.length === 0 ? '' : problems.length === 1 ? problems[0] : `${problems.length} pictures skipped`,
  };
}

/** The table without notes, which may be long, for a terminal. */
function terminalTable({ set, pictures, origin, rows }: ScoreTable): string {
  const head = [
    '',
    'PSNR dB\npaper',
    '\nprinted',
    'SSIM\npaper',
    '\nprinted',
    'PSNR dB\nmatlab',
    'SSIM\nmatlab',
    's per\npicture',
  ];
  const drawn = new Table({
    head,
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { label, mean, seconds } of rows) {
    const printed = printedFor(set, label);
    drawn.push([
      label,
      mean ? decimals(mean.psnr_paper, 2) : '',
      printed?.psnr.toFixed(2) ?? '',
      mean?.ssim_paper.toFixed(4) ?? '',
      printed?.ssim.toFixed(4) ?? '',
      mean ? decimals(mean.psnr, 2) : '',
      mean?.ssim.toFixed(4) ?? '',
      seconds?.toFixed(2) ?? '',
    ]);
  }
  return `${set}: ${counted(pictures, 'picture')}; ${origin}\n${drawn.toString()}`;
}
