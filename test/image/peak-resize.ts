/** Run as a program: enlarges an RGB picture of this side by this factor and prints by how many bytes its memory grew at most. */

import { createPicture } from '../../image/picture.ts';
import { resize } from '../../image/resize.ts';

const [side, factor] = process.argv.slice(2).map(Number);
const picture = createPicture(side, side, 3);
const before = process.memoryUsage.rss();
resize(picture, factor);
process.stdout.write(String(process.resourceUsage().maxRSS * 1024 - before));
