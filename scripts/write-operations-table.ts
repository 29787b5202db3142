/** `npm run docs`: regenerates `docs/operations.md` and `docs/networks.md`. */
import { writeFileSync } from 'node:fs';
import { networksDocument } from './networks-table.ts';
import { operationsDocument } from './operations-table.ts';

writeFileSync(new URL('../docs/operations.md', import.meta.url), operationsDocument());
writeFileSync(new URL('../docs/networks.md', import.meta.url), networksDocument());
console.log('wrote docs/operations.md and docs/networks.md');
