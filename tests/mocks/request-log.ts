export interface LoggedRequest {
  readonly id: number;
  readonly at: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** `METHOD /route/{pattern}`, or `METHOD (unknown)`. */
  readonly route: string;
  readonly body: string | null;
  /** Null while it is being answered and when no answer left (`fault` says why). */
  status: number | null;
  fault: string | null;
}

export interface RequestReport {
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** The last ones, oldest first. */
  readonly requests: readonly LoggedRequest[];
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What was asked of `/v2`. Counts are of everything since the last clear; the list is bounded. */
export class RequestLog {
  readonly #capacity: number;
  readonly #counts = new Map<string, number>();
  readonly #statuses = new Map<string, number>();
  #entries: LoggedRequest[] = [];
  #total = 0;
  #lastId = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  open(entry: Pick<LoggedRequest, 'at' | 'method' | 'path' | 'route' | 'body'>): LoggedRequest {
    this.#lastId += 1;
    this.#total += 1;
    const logged: LoggedRequest = { ...entry, id: this.#lastId, status: null, fault: null };
    bump(this.#counts, entry.route);
    this.#entries.push(logged);
    if (this.#entries.length > this.#capacity * 2) this.#entries = this.#entries.slice(-this.#capacity);
    return logged;
  }

  settle(entry: LoggedRequest, status: number | null, fault: string | null): void {
    entry.status = status;
    entry.fault = fault;
    bump(this.#statuses, status === null ? (fault ?? 'none') : String(status));
  }

  /** @param since an id (only later requests) or an ISO instant (only from then on) */
  report(since?: string): RequestReport {
    const kept = this.#entries.slice(-this.#capacity);
    const byId = since !== undefined && /^\d+$/.test(since);
    const wanted =
      since === undefined ? kept : kept.filter((one) => (byId ? one.id > Number(since) : one.at >= since));
    return {
      total: this.#total,
      counts: Object.fromEntries(this.#counts),
      statuses: Object.fromEntries(this.#statuses),
      requests: wanted,
    };
  }

  clear(): void {
    this.#counts.clear();
    this.#statuses.clear();
    this.#entries = [];
    this.#total = 0;
  }
}
