/** `npm run docs`: writes `docs/operations.md` anew. */
import { writeFileSync } from 'node:fs';
import { operationsDocument } from './operations-table.ts';

writeFileSync(new URL('../docs/operations.md', import.meta.url), operationsDocument());
console.log('docs/operations.md is written');
