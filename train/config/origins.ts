/** Prints a configuration, and where each option was set. */
import type { ConfigFile, TrainConfig, TrainOption } from './config.ts';
import { KEYS } from './options.ts';

/** Where options were set. */
export interface ConfigSources {
  /** As passed to `parseConfig`. */
  readonly commandLine: Readonly<Record<string, unknown>>;
  readonly file?: ConfigFile | undefined;
}

/** "command line", the path of the file, or "default". */
export function originOf(key: TrainOption, { commandLine, file }: ConfigSources): string {
  if (commandLine[key] !== undefined) return 'command line';
  return file && key in file.options ? file.path : 'default';
}

const shown = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : String(value);

/** A line for each option that has a value: its name, its value, where it was set. */
export function configLines(config: TrainConfig, sources: ConfigSources): string[] {
  const rows = KEYS.filter(
    key => config[key] !== undefined && !(Array.isArray(config[key]) && config[key].length === 0),
  );
  const cells = rows.map(key => [key, shown(config[key]), originOf(key, sources)] as const);
  const width = (column: 0 | 1) => Math.min(40, Math.max(...cells.map(cell => cell[column].length)));
  const [names, values] = [width(0), width(1)];
  return cells.map(([name, value, origin]) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${origin}`);
}

/** The options that are not defaults, in one line: "lr 0.004 (base.json), steps 20 (command line)". */
export function givenLine(config: TrainConfig, sources: ConfigSources): string {
  const given = KEYS.filter(key => config[key] !== undefined && originOf(key, sources) !== 'default');
  return given.map(key => `${key} ${shown(config[key])} (${originOf(key, sources)})`).join(', ');
}
