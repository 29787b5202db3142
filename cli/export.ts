/** `daybreak export`: writes a network for other programs. */

import { readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { byteSize, printable } from '../common/text.ts';
import { checkFile, checkFolder } from '../files/output.node.ts';
import { writeAtomically } from '../files/write.node.ts';
import { isThere } from '../image/files.node.ts';
import { listPretrained } from '../models/pretrained.node.ts';
import { UsageError } from './failures.ts';
import { addDeviceOptions, type DeviceChoice } from './open-device.ts';
import { gpuOf, labelOf, modelFileOf } from './open-method.ts';

interface ExportOptions extends DeviceChoice {
  readonly onnx?: boolean;
  readonly hub?: string;
  readonly out?: string;
  readonly license?: string;
  readonly overwrite?: boolean;
}

const EXAMPLES = `
--onnx writes an ONNX model (opset 17, float32) for pictures of any size. Its input is the
network's: RGB in [0, 1] for SRResNet, luma for the others; the file's description says
what is expected. --hub writes a repository for the Hugging Face Hub: model.safetensors,
config.json, model.onnx and a card, README.md. Other commands take that folder as --model.

Examples:
  daybreak export --onnx srresnet
  daybreak export --onnx runs/first/checkpoints/best/model.safetensors -o first.onnx
  daybreak export --hub first-x4 runs/first/checkpoints/best/model.safetensors --license cc0-1.0`;

/** Adds `export` to the program. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('Write a network for other programs: ONNX, or a repository for the Hugging Face Hub.')
    .argument('<model>', 'a shipped network (see daybreak models), a model file, or a folder with model.safetensors')
    .option('--onnx', 'write an ONNX model')
    .option('--hub <dir>', 'write a repository into this folder')
    .option('-o, --out <file>', "the ONNX model (default: the model's name with .onnx, in the working directory)")
    .option('--license <id>', "identifier of the weights' licence for the card (default: mit if the file says so)")
    .option('--overwrite', 'replace existing files');
  addDeviceOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, options: ExportOptions) => {
      await exportModel(model, options);
    });
}

/** @throws UsageError for options that contradict each other or existing files; what loading and writing throw. */
async function exportModel(model: string, options: ExportOptions): Promise<void> {
  const { onnx = false, hub, out, license, overwrite = false } = options;
  if (onnx === (hub !== undefined)) throw new UsageError('expected either --onnx or --hub DIR');
  if (hub === '') throw new UsageError('--hub: expected a folder, got an empty path');
  if (hub !== undefined && out !== undefined) throw new UsageError('--out: expected with --onnx only');
  if (onnx && license !== undefined) throw new UsageError('--license: expected with --hub only');
  if (out !== undefined && extname(out) !== '.onnx') throw new UsageError(`--out: expected an .onnx file, got ${out}`);
  if (license !== undefined && !/^[a-z0-9][a-z0-9.+-]*$/.test(license))
    throw new UsageError(`--license: expected an identifier such as mit or cc-by-4.0, got ${license}`);
  const path = await modelFileOf(model);
  if (path === undefined) throw new UsageError(`expected a network, got ${model}, which has no weights`);
  // A folder's name says more than the model.safetensors in it.
  const name = labelOf(basename(model) === 'model.safetensors' ? model : basename(resolve(model)));
  const { HUB_FILES, hubFiles } = await import('../models/hub.ts');
  const target = out ?? `${name}.onnx`;
  const targets = hub === undefined ? [target] : HUB_FILES.map(file => join(hub, file));
  if (!overwrite)
    for (const file of targets)
      if (await isThere(file)) throw new UsageError(`${printable(file)} exists: use --overwrite to replace it`);
  await (hub === undefined ? checkFile(target) : checkFolder(hub));

  const bytes = await readFile(path);
  await gpuOf(options)();
  const { decodeModel } = await import('../models/model-file.ts');
  const { toOnnx } = await import('../models/onnx.ts');
  using net = decodeModel(bytes, path, { onNote: note => process.stderr.write(`note: ${note}\n`) });
  const shipped =
    hub === undefined ? undefined : (await listPretrained()).find(one => path.endsWith(one.file) && one.name === model);
  const files =
    hub === undefined
      ? { [target]: await toOnnx(net) }
      : Object.fromEntries(
          Object.entries(await hubFiles(net, bytes, { name, license, scores: shipped?.scores })).map(
            ([file, content]) => [join(hub, file), content],
          ),
        );
  for (const [file, content] of Object.entries(files)) {
    await writeAtomically(file, content);
    process.stdout.write(`${printable(file)}: ${byteSize(content.length)}\n`);
  }
}
