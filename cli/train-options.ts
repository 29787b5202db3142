/** Converts the options of `daybreak train VARIANT` to commander's, and a configuration back to a command line. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { forShell } from '../common/text.ts';
import { defaultsOf, optionsOf, type TrainConfig, type TrainOption, variantOfConfig } from '../train/config/config.ts';
import { shortName, type Variant } from '../train/variants.ts';
import { collect } from './arguments.ts';

const isNothing = (value: unknown) =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0);

/**
 * Adds the variant's options to its command, with its defaults in the help.
 * @param changed other defaults, and `null` for options to leave out.
 */
export function addConfigOptions(
  command: Command,
  variant: Variant,
  changed: Readonly<Partial<Record<TrainOption, unknown>>> = {},
): void {
  for (const { key, flags, help, group, repeatable, default: usual } of optionsOf(variant)) {
    const byDefault = changed[key] === undefined ? usual : changed[key];
    if (byDefault === null) continue;
    // Commander does not get the defaults: they would override a configuration file.
    const text = isNothing(byDefault) ? help : `${help} (default: ${shown(byDefault)})`;
    const option = new Option(flags, text).helpGroup(group);
    command.addOption(repeatable ? option.argParser(collect) : option);
  }
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value);
}

const quoted = (value: unknown) => forShell(String(value));

/** The command line that repeats a training. */
export function commandOf(config: TrainConfig): string {
  const variant = variantOfConfig(config);
  const defaults = defaultsOf(variant, config);
  const parts = optionsOf(variant).flatMap(({ key, flags }) => {
    const value = config[key];
    const [flag] = flags.split(' ');
    if (value === undefined || JSON.stringify(value) === JSON.stringify(defaults[key])) return [];
    if (value === true) return [flag];
    return Array.isArray(value) ? value.map(item => `${flag} ${quoted(item)}`) : [`${flag} ${quoted(value)}`];
  });
  return `npx daybreak train ${shortName(variant)} ${parts.join(' ')}`;
}
