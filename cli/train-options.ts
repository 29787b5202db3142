/** The options of `daybreak train VARIANT`, as commander takes them and as a command line writes them. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { forShell } from '../common/text.ts';
import { defaultsOf, optionsOf, type TrainConfig, variantOfConfig } from '../train/config/config.ts';
import { shortName, type Variant } from '../train/variants.ts';

/** For options that may be repeated: all their values. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

const isNothing = (value: unknown) =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0);

/** Adds what a configuration of the variant can say, with the variant's defaults in the help. */
export function addConfigOptions(command: Command, variant: Variant): void {
  for (const { flags, help, group, repeatable, default: byDefault } of optionsOf(variant)) {
    // Defaults stay with the configuration: commander's would win over a configuration file.
    const text = isNothing(byDefault) ? help : `${help} (default: ${shown(byDefault)})`;
    const option = new Option(flags, text).helpGroup(group);
    command.addOption(repeatable ? option.argParser(collect) : option);
  }
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value);
}

const quoted = (value: unknown) => forShell(String(value));

/** The command line that trains this again. */
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
