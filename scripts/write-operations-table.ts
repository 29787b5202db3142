/** `npm run docs`: regenerates `docs/operations.md`. */
import { writeFileSync } from 'node:fs';
import { operationsDocument } from './operations-table.ts';

writeFileSync(new URL('../docs/operations.md', import.meta.url), operationsDocument());
console.log('wrote docs/operations.md');
