/** Studies of a few small pictures. */
import { join } from 'node:path';
import { openDataSet } from '../../eval/dataset.node.ts';
import { interpolation } from '../../eval/methods.ts';
import { type PrepareControl, prepareStudy, type StudyContent } from '../../mos/prepare.node.ts';
import type { OpenStudy } from '../../mos/study-folder.node.ts';
import { PAIRS, setFolder } from '../eval/set-folder.ts';
import { temporaryFolder } from '../eval/temporary.ts';

/** Words that no rater may come across. */
export const SECRETS = ['nearest', 'bicubic', 'original', 'baby', 'bird', 'synthetic'];

/** A study of two pictures in three versions, with one repeat and two examples; gone after the test. */
export async function smallStudy(
  content: Partial<StudyContent> = {},
  control: PrepareControl = {},
): Promise<OpenStudy> {
  const set = await openDataSet(setFolder(PAIRS));
  const methods = (['nearest', 'bicubic'] as const).map(name => ({
    label: name,
    source: name,
    method: interpolation(name),
  }));
  const all = { sets: [set], methods, calibration: set, calibrationCount: 1, repeats: 1, ...content };
  return await prepareStudy(join(temporaryFolder(), 'study'), all, control);
}
