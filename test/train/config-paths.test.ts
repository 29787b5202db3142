import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { flattened, optionAt, parseOverride } from '../../train/config/dotted-names.ts';
import { KEYS } from '../../train/config/options.ts';
import { configLines, givenLine } from '../../train/config/origins.ts';
import { ConfigError } from '../../train/errors.ts';

/** "lrStepEvery" as ["lr", "step", "every"]. */
const wordsOf = (key: string) => key.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`).split(' ');

describe('dotted names', () => {
  test('may split an option at any of its capitals', () => {
    expect(['lr.schedule', 'lr.step.every', 'lrStep.every', 'lr.stepEvery', 'lr'].map(optionAt)).toEqual([
      'lrSchedule',
      'lrStepEvery',
      'lrStepEvery',
      'lrStepEvery',
      'lr',
    ]);
    for (const key of KEYS) expect(optionAt(wordsOf(key).join('.'))).toBe(key);
  });

  test('in a file may be nested, dotted or full: the options are the same', () => {
    const form = fc.constantFrom('nested', 'dotted', 'whole');
    const subsets = fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), form), { selector: ([key]) => key });
    fc.assert(
      fc.property(subsets, told => {
        const tree: Record<string, unknown> = {};
        for (const [i, [key, form]] of told.entries()) {
          const [first = '', ...rest] = wordsOf(key);
          // A name that is a value cannot hold others: {"lr": 1, "lr.schedule": …}.
          const holds = rest.length > 0 && !told.some(([other]) => other === first);
          if (form === 'nested' && holds) tree[first] = { ...(tree[first] as object), [rest.join('.')]: i };
          else tree[form === 'dotted' ? [first, ...rest].join('.') : key] = i;
        }
        expect(flattened(tree, 'f')).toEqual(Object.fromEntries(told.map(([key], i) => [key, i])));
      }),
    );
  });

  test('are rejected if set twice or nested too deeply', () => {
    expect(() => flattened({ lrSchedule: 'step', lr: { schedule: 'cosine' } }, 'my.json')).toThrow(
      new ConfigError('my.json: lr.schedule: sets lrSchedule a second time'),
    );
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
    expect(() => flattened(deep, 'my.json')).toThrow(/^my\.json: objects nested more than 8 deep$/);
  });

  test('of unknown options are left to the schema to reject, also names that JavaScript uses', () => {
    const options = flattened(JSON.parse('{"__proto__": {"lr": 1}, "data": "x", "out": "y"}'), 'my.json');
    expect(() => parseConfig({}, { path: 'my.json', options })).toThrow(/^my\.json: __proto__Lr: unknown option/);
  });
});

describe('--set', () => {
  test.each([
    ['lr.schedule=cosine', ['lrSchedule', 'cosine']],
    ['lr=1e-3', ['lr', '1e-3']],
    ['flips=true', ['flips', true]],
    ['out=a=b', ['out', 'a=b']],
    ['out=', ['out', '']],
    ['data=["a","b c"]', ['data', ['a', 'b c']]],
    ['data=[a', ['data', '[a']],
  ])('%s', (text, expected) => {
    expect(parseOverride(text)).toEqual(expected);
  });

  test.each(['lr', '=1', ''])('rejects %j', text => {
    expect(() => parseOverride(text)).toThrow(/^--set .*: expected OPTION=VALUE, such as/);
  });
});

describe('origins', () => {
  const sources = {
    commandLine: { steps: '20', model: 'srresnet' },
    file: { path: 'base.json', options: { data: 'x', out: 'y', steps: 7, lr: 1e-3 } },
  };
  const config = parseConfig(sources.commandLine, sources.file);

  test('are printed for every option that has a value', () => {
    const lines = configLines(config, sources).map(line => line.split(/ {2,}/));
    expect(lines).toContainEqual(['steps', '20', 'command line']);
    expect(lines).toContainEqual(['lr', '0.001', 'base.json']);
    expect(lines).toContainEqual(['crop', '96', 'default']);
    const valued = KEYS.filter(key => config[key] !== undefined && key !== 'eval' && key !== 'degrade');
    expect(lines.map(([name]) => name)).toEqual(valued);
  });

  test('of the given options fit on one line', () => {
    expect(givenLine(config, sources)).toBe(
      'model srresnet-mse (command line), data x (base.json), steps 20 (command line), lr 0.001 (base.json), out y (base.json)',
    );
  });
});
