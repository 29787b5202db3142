/** The programs in docs/extend.md pass the type check, and print what their last comments say. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, onTestFinished, test } from 'vitest';
import { blocks, documents } from './documents.ts';
import { root, runTypeScript } from './run.ts';

const programs = blocks(documents.find(({ path }) => path === 'docs/extend.md')!, 'ts');

function written(): string[] {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/extend-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return programs.map((program, i) => {
    const file = join(folder, `program-${i}.ts`);
    writeFileSync(file, program);
    return file;
  });
}

const numbersIn = (text: string): number[] => [...text.matchAll(/-?\d+(\.\d+)?(e-?\d+)?/g)].map(([n]) => Number(n));

test('they pass the strict type check', () => {
  const files = written();
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(files, options);
  const problems = files.flatMap(file => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

test('they print what they say', async () => {
  expect(programs).toHaveLength(3);
  const files = written();
  for (const [i, file] of files.slice(0, 2).entries()) {
    const said = numbersIn(programs[i].match(/console\.log.*\/\/ (.*)/)![1]);
    const printed = await runTypeScript(file);
    expect(numbersIn(printed.slice(printed.indexOf('[')))).toEqual(said);
  }
  const times = await runTypeScript(files[2]);
  expect(times).toMatch(
    /^product: \d+\.\d GB\/s, \d+ % of the ceiling\nsquared: \d+\.\d GB\/s, \d+ % of the ceiling$/m,
  );
});
