// Writes a lock again and again, the same bytes, so that others see by its time that its process lives. A thread of its
// own: drivers compile for many seconds on the main one. Plain JavaScript, because workers do not run through tsx.
import { openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { path, content, every } = workerData;
// Of a lock that another process has put in its place, nothing is overwritten: this one's file is written, wherever it is.
const file = openSync(path, 'r+');
setInterval(() => {
  try {
    writeSync(file, content, 0);
  } catch {
    // A disk that is full or gone for a while: the next one may succeed.
  }
}, every);
