/**
 * Raters and their votes in SQLite, durable before a vote is acknowledged.
 *
 * The WebAssembly build of SQLite locks a file by a folder beside it, which a killed process leaves behind, and which makes
 * SQLite believe that a journal left behind is still in use, so that it would not be rolled back. Therefore one process at
 * a time opens the votes, under a lock of ours, and in exclusive WAL mode, whose recovery needs neither. See
 * docs/decisions.md.
 */

import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, open, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { codeOf, FileError, reasonOf } from '../files/file-error.ts';
import { type FolderLock, takeLock } from '../files/lock.node.ts';
import { syncFolder } from '../files/write.node.ts';
import { RefusedError, StudyError } from './errors.ts';
import { examplesOf, presentationOrder } from './study.ts';
import type { OpenStudy } from './study-folder.node.ts';
import type { Rater, StoredVote, Votes } from './votes.ts';

const DATABASE = 'votes.sqlite';
const LOCK = 'study.lock';

/** Frames of 1,024 bytes: a vote changes one page, and the log is only shortened when the study is opened and closed. */
const SETTINGS = `
PRAGMA page_size = 1024;
PRAGMA locking_mode = exclusive;
PRAGMA journal_mode = wal;
PRAGMA synchronous = full;
PRAGMA wal_autocheckpoint = 0;
PRAGMA wal_checkpoint(truncate);`;

const TABLES = `
CREATE TABLE IF NOT EXISTS study (digest TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS raters (
  number INTEGER PRIMARY KEY,
  session TEXT NOT NULL UNIQUE,
  handover TEXT UNIQUE,
  joined TEXT NOT NULL,
  simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
  examples INTEGER NOT NULL DEFAULT 0,
  presentations TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS votes (
  rater INTEGER NOT NULL REFERENCES raters,
  place INTEGER NOT NULL CHECK (place >= 0),
  score INTEGER NOT NULL CHECK (score IN (1, 2, 3, 4, 5)),
  key TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (rater, place)
) STRICT, WITHOUT ROWID;`;

type Row = Record<string, number | bigint | string | Uint8Array | null>;

/** Secrets are stored as digests: a copy of the database opens no one's session. */
const digestOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/** 144 bits. */
const newSecret = () => randomBytes(18).toString('base64url');

/** The votes of a study, open for writing. */
export class VoteStore implements Disposable {
  readonly #open: OpenStudy;
  readonly #database: sqlite.Database;
  readonly #lock: FolderLock;
  /** Raters by the digest of their session's secret. */
  readonly #raters = new Map<string, Rater>();

  private constructor(open: OpenStudy, database: sqlite.Database, lock: FolderLock) {
    this.#open = open;
    this.#database = database;
    this.#lock = lock;
  }

  /**
   * Opens the votes of a study, and creates them for a new one.
   * @throws StudyError if another process has them open, they belong to another study, or cannot be read or written.
   */
  static async open(open: OpenStudy): Promise<VoteStore> {
    const lock = await takeLock(join(open.folder, LOCK), 'study').catch(error => {
      throw error instanceof FileError ? new StudyError(error.path, error.reason, { cause: error }) : error;
    });
    const path = join(open.folder, DATABASE);
    try {
      const database = await openDatabase(path, open);
      await syncFolder(open.folder);
      return new VoteStore(open, database, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Adds a rater with an order of their own. `secret` opens their session from then on. */
  join({ simulated = false } = {}): { readonly rater: Rater; readonly secret: string } {
    const number = Number(this.#row('SELECT coalesce(max(number), 0) + 1 AS next FROM raters')?.next);
    const order = presentationOrder(this.#open.study, number);
    const secret = newSecret();
    this.#run('INSERT INTO raters (number, session, joined, simulated, presentations) VALUES (?, ?, ?, ?, ?)', [
      number,
      digestOf(secret),
      new Date().toISOString(),
      simulated ? 1 : 0,
      JSON.stringify(order),
    ]);
    const rater = { number, examples: 0, order, votes: 0 };
    this.#raters.set(digestOf(secret), rater);
    return { rater, secret };
  }

  /** The rater whose session this is. */
  find(secret: string): Rater | undefined {
    const session = digestOf(secret);
    const known = this.#raters.get(session);
    if (known) return known;
    const row = this.#row('SELECT number, examples, presentations FROM raters WHERE session = ?', [session]);
    if (!row) return undefined;
    const votes = Number(this.#row('SELECT count(*) AS votes FROM votes WHERE rater = ?', [row.number])?.votes);
    const order: readonly string[] = JSON.parse(String(row.presentations));
    const rater = { number: Number(row.number), examples: Number(row.examples), order, votes };
    this.#raters.set(session, rater);
    return rater;
  }

  /** Notes that the rater has seen example `place`. @throws RefusedError if it is not the next. */
  see(secret: string, place: number): Rater {
    const rater = this.#known(secret);
    const total = examplesOf(this.#open.study).length;
    if (place !== rater.examples || place >= total) {
      throw new RefusedError(
        'conflict',
        `example ${place + 1} is not the next: ${rater.examples} of ${total} were seen`,
      );
    }
    this.#run('UPDATE raters SET examples = ? WHERE number = ?', [place + 1, rater.number]);
    return this.#update(secret, { ...rater, examples: place + 1 });
  }

  /**
   * Stores a vote; it is on the disk when this returns.
   * @param key chosen at random for each vote: a vote that is sent again with the same key, because its answer was lost,
   *   is not a second one.
   * @throws RefusedError if the score is not 1…5, or `place` is not the one to be rated now.
   */
  vote(secret: string, place: number, score: number, key: string): Rater {
    const rater = this.#known(secret);
    if (![1, 2, 3, 4, 5].includes(score)) {
      throw new RefusedError('invalid', `score: expected 1, 2, 3, 4 or 5, got ${score}`);
    }
    if (place < rater.votes) {
      const stored = this.#row('SELECT key FROM votes WHERE rater = ? AND place = ?', [rater.number, place]);
      if (stored?.key === key) return rater;
      throw new RefusedError('conflict', `picture ${place + 1} is rated already, in another tab or earlier`);
    }
    if (rater.examples < examplesOf(this.#open.study).length) {
      throw new RefusedError('conflict', 'the examples come before the first rating');
    }
    if (place !== rater.votes || place >= rater.order.length) {
      throw new RefusedError('conflict', `picture ${place + 1} is not the next: ${rater.votes} are rated`);
    }
    this.#lock.check();
    this.#run('INSERT INTO votes (rater, place, score, key, at) VALUES (?, ?, ?, ?, ?)', [
      rater.number,
      place,
      score,
      key,
      new Date().toISOString(),
    ]);
    return this.#update(secret, { ...rater, votes: place + 1 });
  }

  /** A code that moves the rater to another browser, once. It replaces an earlier one. */
  offerHandover(secret: string): string {
    const code = newSecret();
    this.#run('UPDATE raters SET handover = ? WHERE number = ?', [digestOf(code), this.#known(secret).number]);
    return code;
  }

  /**
   * Moves the rater who got this code to a new session; the old one ends.
   * @throws RefusedError if the code is unknown, used or replaced.
   */
  redeem(code: string): { readonly rater: Rater; readonly secret: string } {
    const row = this.#row('SELECT session FROM raters WHERE handover = ?', [digestOf(code)]);
    if (!row) throw new RefusedError('conflict', 'this link was used already or replaced by a newer one');
    const secret = newSecret();
    this.#run('UPDATE raters SET session = ?, handover = NULL WHERE session = ?', [digestOf(secret), row.session]);
    this.#raters.delete(String(row.session));
    return { rater: this.#known(secret), secret };
  }

  /** All raters and votes. */
  read(): Votes {
    return votesIn(this.#database);
  }

  /** Runs `work` in one transaction, for many votes at once. Nothing is stored if it throws. */
  together<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      this.#raters.clear();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
    this.#lock.release();
  }

  #known(secret: string): Rater {
    const rater = this.find(secret);
    if (!rater) throw new RefusedError('conflict', 'this rater goes on in another browser');
    return rater;
  }

  #update(secret: string, rater: Rater): Rater {
    this.#raters.set(digestOf(secret), rater);
    return rater;
  }

  #row(sql: string, values: sqlite.BindValues = []): Row | undefined {
    return (this.#database.get(sql, values) as Row | null) ?? undefined;
  }

  #run(sql: string, values: sqlite.BindValues): void {
    this.#database.run(sql, values);
  }
}

/** Opens the database and repairs what a killed process left behind. The caller holds the study's lock. */
async function openDatabase(path: string, { digest, folder }: OpenStudy): Promise<sqlite.Database> {
  await rmdir(`${path}.lock`).catch(error => {
    if (codeOf(error) !== 'ENOENT') throw new StudyError(`${path}.lock`, `cannot be removed: ${reasonOf(error)}`);
  });
  let database: sqlite.Database | undefined;
  try {
    database = new sqlite.Database(path);
    database.exec(SETTINGS);
    database.exec(TABLES);
    const row = database.get('SELECT digest FROM study') as Row | null;
    if (row === null) database.run('INSERT INTO study (digest) VALUES (?)', [digest]);
    else if (row.digest !== digest) throw new StudyError(folder, DIFFERENT);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof StudyError ? error : unusable(path, error);
  }
}

const DIFFERENT = 'study.json was changed after the first vote; restore it, or prepare another study';

function unusable(path: string, error: unknown): StudyError {
  return new StudyError(path, `no usable database: ${error instanceof Error ? error.message : error}`, {
    cause: error,
  });
}

/**
 * All raters and votes of a study, also while a server is writing to it: then from a copy, whose log ends with the last
 * vote that was complete when it was made.
 * @throws StudyError if they belong to another study or cannot be read.
 */
export async function readVotes(open: OpenStudy): Promise<Votes> {
  const path = join(open.folder, DATABASE);
  if (!(await stat(path).catch(() => undefined))) return { raters: [], votes: [] };
  const folder = await mkdtemp(join(tmpdir(), 'daybreak-votes-'));
  try {
    const copy = join(folder, DATABASE);
    await copyDatabase(path, copy);
    const database = new sqlite.Database(copy);
    try {
      database.exec('PRAGMA locking_mode = exclusive');
      const row = database.get('SELECT digest FROM study') as Row | null;
      if (row && row.digest !== open.digest) throw new StudyError(open.folder, DIFFERENT);
      return votesIn(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw error instanceof FileError ? error : unusable(path, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Attempts to copy a database that does not change meanwhile. */
const ATTEMPTS = 20;

/**
 * Copies a database and its log. The server only appends to the log, except when it opens and closes the study: then the
 * database or the log's header changes, and this tries again.
 */
async function copyDatabase(path: string, copy: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await stateOf(path);
    await copyFile(path, copy);
    const hasLog = await copyFile(`${path}-wal`, `${copy}-wal`).then(
      () => true,
      () => false,
    );
    if (!hasLog) await rm(`${copy}-wal`, { force: true });
    if ((await stateOf(path)) === before) return;
  }
  throw new StudyError(path, 'changes all the time; try again');
}

/** Changes when the database or the beginning of its log does. */
async function stateOf(path: string): Promise<string> {
  const { mtimeNs, size } = await stat(path, { bigint: true });
  return `${mtimeNs} ${size} ${await logHeaderOf(`${path}-wal`)}`;
}

/** The header of a write-ahead log, which has random salts; empty without a log. */
async function logHeaderOf(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0);
    return buffer.toString('hex', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function votesIn(database: sqlite.Database): Votes {
  const raterRows = database.all(
    'SELECT number, joined, simulated, presentations FROM raters ORDER BY number',
  ) as Row[];
  const raters = raterRows.map(row => ({
    number: Number(row.number),
    joined: String(row.joined),
    simulated: row.simulated === 1,
    order: JSON.parse(String(row.presentations)) as readonly string[],
  }));
  const orders = new Map(raters.map(({ number, order }) => [number, order]));
  const shown = new Set<string>();
  const voteRows = database.all('SELECT rater, place, score, at FROM votes ORDER BY rater, place') as Row[];
  const votes = voteRows.map((row): StoredVote => {
    const [rater, place] = [Number(row.rater), Number(row.place)];
    const picture = orders.get(rater)?.[place] ?? '';
    const repeat = shown.has(`${rater} ${picture}`);
    shown.add(`${rater} ${picture}`);
    return { rater, place, picture, score: Number(row.score), repeat, at: String(row.at) };
  });
  return { raters: raters.map(({ order, ...rater }) => ({ ...rater, presentations: order.length })), votes };
}
