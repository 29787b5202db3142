/**
 * Defines `Symbol.dispose` where it is missing (Safari): classes have a method by that name, and compiled `using` looks for it. It
 * has to run before them, so package.json lists this file among the side effects.
 */
const symbols = Symbol as { dispose?: symbol; asyncDispose?: symbol };
symbols.dispose ??= Symbol('Symbol.dispose');
symbols.asyncDispose ??= Symbol('Symbol.asyncDispose');

export {};
