/** Run as a program: decodes the picture file that it is given and prints by how many bytes its memory grew at most. */

import { readFileSync } from 'node:fs';
import { decodeFile } from '../../image/codec.node.ts';

const [path] = process.argv.slice(2);
const bytes = readFileSync(path);
// The modules of other formats are not what is measured.
await import('sharp').catch(() => undefined);
const before = process.memoryUsage.rss();
await decodeFile(bytes, 'measured');
process.stdout.write(String(process.resourceUsage().maxRSS * 1024 - before));
