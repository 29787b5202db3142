/**
 * A study's folder:
 *
 *     study.json      what is shown, and the SHA-256 of each picture     pictures/ID.png   the pictures
 *     votes.sqlite    raters, their orders and votes                     report/           written by `mos report`
 */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Of } from '../files/digest.node.ts';
import { codeOf, reasonOf } from '../files/file-error.ts';
import { StudyError } from './errors.ts';
import { parseStudy, type Study } from './study.ts';

export const MANIFEST = 'study.json';

/** A study and where it is. */
export interface OpenStudy {
  readonly folder: string;
  readonly study: Study;
  /** SHA-256 of the manifest: votes belong to exactly this study. */
  readonly digest: string;
}

export const picturePath = (folder: string, id: string): string => join(folder, 'pictures', `${id}.png`);

/**
 * Opens a study and compares all its pictures with the manifest.
 * @throws StudyError if there is no study, or a picture is missing or was changed.
 */
export async function openStudy(folder: string): Promise<OpenStudy> {
  const path = join(folder, MANIFEST);
  const text = await readFile(path, 'utf8').catch(async error => {
    const exists = await stat(folder).catch(() => undefined);
    const reason = exists?.isDirectory()
      ? `holds no study (no ${MANIFEST}); create one with daybreak mos prepare`
      : `cannot be read: ${reasonOf(error)}`;
    throw new StudyError(folder, reason, { cause: error });
  });
  const study = manifestOf(path, text);
  for (const id of Object.keys(study.files)) await readStudyPicture(folder, study, id);
  return { folder, study, digest: sha256Of(text) };
}

function manifestOf(path: string, text: string): Study {
  try {
    return parseStudy(JSON.parse(text));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const reason = issue ? `${issue.path.join('.') || 'manifest'}: ${issue.message}` : 'no valid JSON';
    throw new StudyError(path, `damaged: ${reason}`, { cause: error });
  }
}

/**
 * The bytes of a picture's file.
 * @param id a key of `study.files`: any other string could be a path.
 * @throws StudyError if it is missing or is not the one of the manifest.
 */
export async function readStudyPicture(folder: string, study: Study, id: string): Promise<Buffer> {
  const path = picturePath(folder, id);
  const bytes = await readFile(path).catch(error => {
    const reason = codeOf(error) === 'ENOENT' ? 'missing' : `cannot be read: ${reasonOf(error)}`;
    throw new StudyError(path, `${reason}; the votes are for the pictures that the study was prepared with`);
  });
  if (sha256Of(bytes) !== study.files[id]) {
    throw new StudyError(path, 'changed since the study was prepared; restore it, or prepare another study');
  }
  return bytes;
}
