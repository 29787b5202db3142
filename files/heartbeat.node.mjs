// Rewrites a lock with the same content at intervals: its modification time shows that the process is alive. It runs in a
// thread, because drivers may compile for many seconds on the main thread. Plain JavaScript, because workers do not run
// through tsx.
import { openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { path, content, every } = workerData;
// An open file stays the same file, so a new lock of another process at this path is never overwritten.
const file = openSync(path, 'r+');
setInterval(() => {
  try {
    writeSync(file, content, 0);
  } catch {
    // The disk is full or unavailable; the next write may succeed.
  }
}, every);
