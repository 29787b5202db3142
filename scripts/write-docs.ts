/** `npm run docs`: regenerates `docs/operations.md`, `docs/networks.md`, `docs/errors.md` and `docs/api.md`. */
import { writeFileSync } from 'node:fs';
import { apiReport } from './api-report.ts';
import { errorsDocument } from './errors-table.ts';
import { networksDocument } from './networks-table.ts';
import { operationsDocument } from './operations-table.ts';

writeFileSync(new URL('../docs/operations.md', import.meta.url), operationsDocument());
writeFileSync(new URL('../docs/networks.md', import.meta.url), networksDocument());
writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsDocument());
writeFileSync(new URL('../docs/api.md', import.meta.url), apiReport().document);
console.log('wrote docs/operations.md, docs/networks.md, docs/errors.md and docs/api.md');
