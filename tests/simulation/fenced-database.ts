import {
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  type QueryCompiler,
  type SqliteDriver,
} from 'kysely';
import type { Database } from '../../src/store/database.ts';
import { NodeSqliteDialect } from '../../src/store/node-sqlite.ts';
import type { Gate } from './gate.ts';

/** The service's own SQLite, with a gate before and after each statement. */
class FencedDialect implements Dialect {
  readonly #inner: NodeSqliteDialect;
  readonly #gate: Gate;

  constructor(path: string, gate: Gate) {
    this.#inner = new NodeSqliteDialect(path);
    this.#gate = gate;
  }

  createDriver(): Driver {
    const driver = this.#inner.createDriver();
    void this.#gate.crashed.then(() => driver.destroy());
    return new FencedDriver(driver, this.#gate);
  }

  createAdapter(): DialectAdapter {
    return this.#inner.createAdapter();
  }

  createQueryCompiler(): QueryCompiler {
    return this.#inner.createQueryCompiler();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return this.#inner.createIntrospector(db);
  }
}

class FencedDriver implements Driver {
  readonly #inner: SqliteDriver;
  readonly #gate: Gate;

  constructor(inner: SqliteDriver, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
  }

  init(): Promise<void> {
    return this.#inner.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new FencedConnection(await this.#inner.acquireConnection(), this.#gate);
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#inner.beginTransaction(connection);
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#inner.commitTransaction(connection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#inner.rollbackTransaction(connection);
  }

  releaseConnection(): Promise<void> {
    return this.#inner.releaseConnection();
  }

  async destroy(): Promise<void> {
    await this.#gate.pass();
    await this.#inner.destroy();
  }
}

class FencedConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection;
  readonly #gate: Gate;

  constructor(inner: DatabaseConnection, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
  }

  async executeQuery<R>(...[query, options]: Parameters<DatabaseConnection['executeQuery']>) {
    await this.#gate.passDatabase();
    const result = await this.#inner.executeQuery<R>(query, options);
    await this.#gate.passDatabase();
    return result;
  }

  streamQuery<R>(...parameters: Parameters<DatabaseConnection['streamQuery']>) {
    return this.#inner.streamQuery<R>(...parameters);
  }
}

export function openFenced(path: string, gate: Gate): Database {
  return new Kysely({ dialect: new FencedDialect(path, gate) });
}
