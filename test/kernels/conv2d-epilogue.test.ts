import { testEpilogues } from './epilogues.ts';

testEpilogues({});
