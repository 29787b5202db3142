/** The texts for GPUs, run on whatever adapter there is: see `hardware-lowering.test.ts`. */
import { testEpilogues } from './epilogues.ts';

testEpilogues({ software: false, subgroupSize: 0 });
