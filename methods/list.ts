/** The methods by name. To add one, write its file and add its line here. */

import { EDI } from './edi.ts';
import { EXAMPLES } from './examples.ts';
import type { LumaMethod } from './luma-method.ts';
import { MARKOV } from './markov.ts';
import { NEDI } from './nedi.ts';

/** In the order of lists and messages. */
export const LUMA_METHODS: readonly LumaMethod[] = [NEDI, EDI, EXAMPLES, MARKOV];

/** The method of this name, if there is one. */
export const findLumaMethod = (name: string): LumaMethod | undefined => LUMA_METHODS.find(one => one.name === name);
