/** The TypeScript in the README is right, and runs as it stands. What it says of the package is in test/package. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, onTestFinished, test } from 'vitest';
import { blocks, documents } from './documents.ts';
import { root, runTypeScript } from './run.ts';

const readme = documents[0];
const [training, ...more] = blocks(readme, 'ts');

/** A folder within the project, where its own name resolves, and which version control and lint pass over. */
function folderWithin(): string {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The numbers in what a program printed or a comment says. */
const numbersIn = (text: string): number[] => [...text.matchAll(/-?\d+(\.\d+)?(e-?\d+)?/g)].map(([n]) => Number(n));

test('its TypeScript passes the strict type check', () => {
  expect(more, 'a block that no test below runs').toEqual([]);
  const folder = folderWithin();
  writeFileSync(join(folder, 'training.ts'), training);
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = [join(folder, 'training.ts')];
  const program = ts.createProgram(files, options);
  // The project itself has been checked.
  const problems = files.flatMap(file => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

test('what trains with the engine alone learns what it says', async () => {
  const file = join(folderWithin(), 'training.ts');
  writeFileSync(file, training);
  const [, learned] = (await runTypeScript(file)).match(/\[ *([-\d.e]+) *\]/)!;
  const [said] = numbersIn(training.match(/\/\/ about (.*)/)![1]);
  expect(Number(learned)).toBeCloseTo(said, 2);
});

test('its number of golden cases is that of the golden file', () => {
  const bytes = readFileSync(join(root, 'test/golden/ops.safetensors'));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
  const [, cases] = readme.text.match(/all (\d+) cases of operations/)!;
  expect(Number(cases)).toBe(JSON.parse(header.__metadata__.cases).length);
});
