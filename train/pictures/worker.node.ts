/** The worker thread: reads a picture, or cuts the crops of a batch from a file, one task at a time. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { ImageError } from '../../image/errors.ts';
import type { Picture } from '../../image/picture.ts';
import { PictureSourceError } from '../errors.ts';
import { type CutTask, cutCrops } from './packed-crops.node.ts';
import { type PictureOrigin, readTrainingPicture, type TrainingPicture } from './training-picture.node.ts';

export interface ReadTask {
  readonly origin: PictureOrigin;
  /** Minimum width and height. */
  readonly least: number;
}

export type Task = { readonly read: ReadTask } | { readonly cut: CutTask };

/** Errors lose their class between threads. `subject` is the first argument of the constructor. */
export type Answer =
  | { readonly picture: TrainingPicture }
  | { readonly bytes: ArrayBuffer }
  | { readonly failure: 'image' | 'source'; readonly subject: string; readonly message: string }
  | { readonly failure: 'other'; readonly error: unknown };

/** Copies a picture to transferable memory: codecs return parts of larger buffers, or buffers they keep. */
function movable(picture: Picture): Picture {
  return { ...picture, data: new Uint8Array(picture.data) };
}

async function answerTo(task: Task): Promise<{ answer: Answer; moved: ArrayBuffer[] }> {
  if ('cut' in task) {
    cutCrops(task.cut);
    return { answer: { bytes: task.cut.bytes }, moved: [task.cut.bytes] };
  }
  const { hr, lr, ...rest } = await readTrainingPicture(task.read.origin, task.read.least);
  const picture = { ...rest, hr: movable(hr), lr: movable(lr) };
  return { answer: { picture }, moved: [picture.hr.data.buffer, picture.lr.data.buffer] as ArrayBuffer[] };
}

function failureOf(error: unknown): Answer {
  if (error instanceof ImageError) return { failure: 'image', subject: error.file, message: error.message };
  if (error instanceof PictureSourceError) return { failure: 'source', subject: error.source, message: error.message };
  return { failure: 'other', error };
}

// The main thread imports this file too, for its types.
if (!isMainThread) {
  parentPort?.on('message', async (task: Task) => {
    try {
      const { answer, moved } = await answerTo(task);
      parentPort?.postMessage(answer, moved);
    } catch (error) {
      parentPort?.postMessage(failureOf(error));
    }
  });
}
