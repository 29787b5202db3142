/** Run as a program: writes a 16-bit RGB picture of this side as uncompressed PNG and prints by how many bytes its memory grew at most. */

import { createPicture } from '../../image/picture.ts';
import { encodePngFile } from '../../image/png.node.ts';

const side = Number(process.argv[2]);
const picture = createPicture(side, side, 3, new Uint16Array(side * side * 3).fill(0x1234));
const before = process.memoryUsage.rss();
encodePngFile(picture, {}, 0);
process.stdout.write(String(process.resourceUsage().maxRSS * 1024 - before));
