import type { CircuitName, CircuitState } from './breaker.ts';
import type { AttioErrorKind } from './errors.ts';
import type { LaneName } from './lanes.ts';

/** What happens on the way to Attio, for metrics and logs. Implementations never throw. */
export interface AttioObserver {
  /** One attempt ended. `status`: the HTTP status, or why there is none. `endpoint`: the route's template. */
  requestFinished(request: {
    readonly endpoint: string;
    readonly status: number | 'network' | 'timeout' | 'cancelled';
    readonly durationMs: number;
  }): void;
  /** An attempt failed and another one follows after `waitMs`. */
  retried(retry: {
    readonly endpoint: string;
    readonly reason: AttioErrorKind;
    readonly waitMs: number;
  }): void;
  circuitChanged(change: { readonly lane: CircuitName; readonly state: CircuitState }): void;
  /** How long a request waited for its turn. */
  laneWaited(wait: { readonly lane: LaneName; readonly ms: number }): void;
}

export const silentObserver: AttioObserver = {
  requestFinished() {},
  retried() {},
  circuitChanged() {},
  laneWaited() {},
};
