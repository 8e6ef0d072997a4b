import type { Clock } from '../domain/clock.ts';
import type { DeadLetterKind } from '../domain/dead-letters.ts';
import type { TokenState, WorkspaceGuard } from './workspace.ts';

export type HealthStatus = 'ok' | 'degraded' | 'down';
export type CircuitState = 'closed' | 'open' | 'half-open';

export interface QueueHealth {
  readonly pending: number;
  readonly oldestAgeSeconds: number;
  readonly dead: number;
}

export interface DatabaseHealth {
  readonly status: 'ok' | 'down';
  readonly latencyMs: number | null;
}

/** Without Redis the service is slower, not down. */
export interface RedisHealth {
  readonly status: 'ok' | 'down';
  readonly latencyMs: number | null;
}

export interface HealthReport {
  readonly status: HealthStatus;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly checks: {
    readonly attio: {
      readonly status: TokenState;
      /** Of the latest probe that was answered; null before. */
      readonly latencyMs: number | null;
      readonly circuit: CircuitState;
      /** What to mend, when something is wrong that only a person can mend. */
      readonly problem?: string;
    };
    readonly database: DatabaseHealth;
    /** Null: not configured. */
    readonly redis: RedisHealth | null;
    readonly inbox: QueueHealth;
    readonly outbox: QueueHealth;
    /** Only where the configured mapping does not fit the workspace: a person must mend it. */
    readonly mapping?: { readonly status: 'failed'; readonly problems: readonly string[] };
    /** Changes that are to be pushed, and addresses that they are not pushed to any more. Null: not configured. */
    readonly changeWebhooks: (QueueHealth & { readonly disabled: number }) | null;
  };
}

export interface HealthDeps {
  readonly version: string;
  readonly clock: Clock;
  readonly workspace: Pick<WorkspaceGuard, 'check' | 'token' | 'problem'>;
  readonly circuit: () => CircuitState;
  /** What of the mapping goes astray; none: it fits. @default none */
  readonly mappingFaults?: () => readonly string[];
  /** Attio takes the token, but has refused something with it of late. */
  readonly forbiddenLately: () => boolean;
  /** Stores something. @throws when the database cannot */
  readonly probeDatabase: () => Promise<void>;
  /** Null: not configured. */
  readonly redis: () => RedisHealth | null;
  readonly inboxStats: () => Promise<{ pending: number; oldestReceivedAt: string | null }>;
  readonly outboxStats: () => Promise<{ pending: number; oldestAcceptedAt: string | null }>;
  /** Null: changes are not pushed. */
  readonly pushStats: () => Promise<{ pending: number; oldestAt: string | null; disabled: number } | null>;
  readonly deadLetters: () => Promise<Record<DeadLetterKind, number>>;
  /** Attio is asked at most this often, however often health is. */
  readonly probeEveryMs: number;
}

/** How long the answer of a probe of the database holds: it costs a write. */
const DATABASE_PROBE_MS = 1_000;

/** An answer of health takes no longer than this for any one of its parts. */
const PART_LIMIT_MS = 1_500;

const REFUSED_HINT =
  'Attio refuses the token, or some of what is asked with it: check ATTIO_API_KEY and its scopes';

const UNKNOWN_QUEUE = { pending: 0, oldestAt: null };
const NO_LETTERS: Record<DeadLetterKind, number> = { inbox: 0, outbox: 0, notify: 0, automation: 0 };

/** How the service is, for those who watch it. */
export class HealthService {
  readonly #deps: HealthDeps;
  readonly #startedAt: number;
  readonly #closed = new AbortController();
  #probeStartedAt = Number.NEGATIVE_INFINITY;
  #probe: Promise<true> | null = null;
  #latencyMs: number | null = null;
  #databaseProbedAt = 0;
  #database: Promise<DatabaseHealth> | null = null;
  #started = false;
  #draining = false;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  /** The database is migrated and the service takes work. */
  markStarted(): void {
    this.#started = true;
  }

  /** The service is on its way down. */
  markDraining(): void {
    this.#draining = true;
    this.#closed.abort(new Error('draining'));
  }

  /** Whether it makes sense to send us anything. */
  async ready(): Promise<{ ready: boolean; reason?: string }> {
    if (this.#draining) return { ready: false, reason: 'the service is stopping' };
    if (!this.#started) return { ready: false, reason: 'the service is starting' };
    const database = await this.#checkDatabase();
    return database.status === 'ok'
      ? { ready: true }
      : { ready: false, reason: 'the database is not available' };
  }

  async report(): Promise<HealthReport> {
    const { version, inboxStats, outboxStats, deadLetters } = this.#deps;
    const [database, attio, inbox, outbox, pushes, dead] = await Promise.all([
      this.#checkDatabase(),
      this.#checkAttio(),
      this.#checkQueue(async () => {
        const { pending, oldestReceivedAt } = await inboxStats();
        return { pending, oldestAt: oldestReceivedAt };
      }),
      this.#checkQueue(async () => {
        const { pending, oldestAcceptedAt } = await outboxStats();
        return { pending, oldestAt: oldestAcceptedAt };
      }),
      this.#checkPushes(),
      this.#within(
        deadLetters().catch(() => NO_LETTERS),
        NO_LETTERS,
      ),
    ]);
    const redis = this.#deps.redis();
    const problems = this.#deps.mappingFaults?.() ?? [];
    const status = overall(database.status, attio, redis);
    return {
      status: status === 'ok' && problems.length > 0 ? 'degraded' : status,
      version,
      uptimeSeconds: Math.floor((this.#deps.clock.now() - this.#startedAt) / 1000),
      checks: {
        attio,
        database,
        redis,
        inbox: { ...inbox, dead: dead.inbox },
        outbox: { ...outbox, dead: dead.outbox },
        ...(problems.length === 0 ? {} : { mapping: { status: 'failed', problems } }),
        changeWebhooks: pushes === null ? null : { ...pushes, dead: dead.notify },
      },
    };
  }

  async #checkQueue(
    look: () => Promise<{ pending: number; oldestAt: string | null }>,
  ): Promise<Omit<QueueHealth, 'dead'>> {
    const { pending, oldestAt } = await this.#within(
      look().catch(() => UNKNOWN_QUEUE),
      UNKNOWN_QUEUE,
    );
    const ageMs = oldestAt === null ? 0 : this.#deps.clock.now() - Date.parse(oldestAt);
    return { pending, oldestAgeSeconds: Math.max(0, ageMs / 1000) };
  }

  async #checkPushes(): Promise<(Omit<QueueHealth, 'dead'> & { disabled: number }) | null> {
    const { pushStats } = this.#deps;
    const stats = await this.#within(
      pushStats().catch(() => null),
      null,
    );
    if (stats === null) return null;
    return { ...(await this.#checkQueue(async () => stats)), disabled: stats.disabled };
  }

  async #checkDatabase(): Promise<DatabaseHealth> {
    const now = this.#deps.clock.now();
    if (this.#database === null || now - this.#databaseProbedAt >= DATABASE_PROBE_MS) {
      this.#databaseProbedAt = now;
      this.#database = this.#within(this.#probeDatabase(now), { status: 'down', latencyMs: null });
    }
    return this.#database;
  }

  async #probeDatabase(startedAt: number): Promise<DatabaseHealth> {
    try {
      await this.#deps.probeDatabase();
      return { status: 'ok', latencyMs: this.#deps.clock.now() - startedAt };
    } catch {
      return { status: 'down', latencyMs: null };
    }
  }

  async #checkAttio(): Promise<HealthReport['checks']['attio']> {
    const { clock, workspace, circuit, probeEveryMs } = this.#deps;
    if (this.#probe === null && clock.now() - this.#probeStartedAt >= probeEveryMs) this.#probe = this.#ask();
    // Attio that does not answer in time is out of reach, whatever it said last.
    const answered = this.#probe === null || (await this.#within(this.#probe, false));
    // An outage is told as one: what was forbidden before it is not what ails Attio now.
    const forbidden = workspace.token === 'ok' && circuit() === 'closed' && this.#deps.forbiddenLately();
    const refused = workspace.token === 'refused' || forbidden;
    const problem = workspace.problem ?? (refused ? REFUSED_HINT : null);
    const token = forbidden ? 'refused' : workspace.token;
    return {
      status: answered ? token : 'unreachable',
      latencyMs: this.#latencyMs,
      circuit: circuit(),
      ...(problem === null ? {} : { problem }),
    };
  }

  async #ask(): Promise<true> {
    const startedAt = this.#deps.clock.now();
    this.#probeStartedAt = startedAt;
    const token = await this.#deps.workspace.check(this.#closed.signal);
    if (token !== 'unreachable') this.#latencyMs = this.#deps.clock.now() - startedAt;
    this.#probe = null;
    return true;
  }

  /** What a part says, or what to believe when it does not say so in time. */
  async #within<T>(part: Promise<T>, otherwise: T): Promise<T> {
    const answered = new AbortController();
    const limit = this.#deps.clock.sleep(PART_LIMIT_MS, answered.signal).then(
      () => otherwise,
      () => otherwise,
    );
    const first = await Promise.race([part, limit]);
    answered.abort();
    return first;
  }
}

function overall(
  database: 'ok' | 'down',
  attio: HealthReport['checks']['attio'],
  redis: RedisHealth | null,
): HealthStatus {
  if (database === 'down') return 'down';
  if (redis?.status === 'down') return 'degraded';
  return attio.status === 'ok' && attio.circuit === 'closed' ? 'ok' : 'degraded';
}
