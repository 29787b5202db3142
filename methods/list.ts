/** The methods by name. To add one, write its file and add its line here. */

import { BACK_PROJECTION } from './back-projection.ts';
import type { DeclaredMethod } from './declaration.ts';
import { EDI } from './edi.ts';
import { EXAMPLES } from './examples.ts';
import { MARKOV } from './markov.ts';
import { NEDI } from './nedi.ts';
import type { Pass } from './passes.ts';
import { SELFEXSR } from './selfexsr/selfexsr.ts';

/** In the order of lists and messages. */
export const DECLARED_METHODS: readonly DeclaredMethod[] = [BACK_PROJECTION, NEDI, EDI, EXAMPLES, MARKOV, SELFEXSR];

/** The method of this name, if there is one. */
export const findMethod = (name: string): DeclaredMethod | undefined => DECLARED_METHODS.find(one => one.name === name);

/** What threads can run. */
export const ALL_PASSES: readonly Pass<never>[] = DECLARED_METHODS.flatMap(({ passes }) => passes);
