/** A thread that brings what SQLite's write-ahead log holds into the database file, when told to. See `SqliteLog`. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', (path: string) => {
  try {
    using database = new DatabaseSync(path);
    database.exec('pragma synchronous = full; pragma wal_checkpoint(passive)');
  } catch {
    // What is not brought in now is the next time. A disk that is full or gone is told of by what writes.
  } finally {
    parentPort?.postMessage(null);
  }
});
