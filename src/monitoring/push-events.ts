import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** What happened to changes that are pushed, told to log and metrics. Never throws. */
export class PushLog {
  readonly #log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly #metrics: Pick<Metrics, 'changeDeliveries' | 'changeDeliveryLagSeconds'>;

  constructor(deps: {
    logger: Pick<Logger, 'child'>;
    metrics: Pick<Metrics, 'changeDeliveries' | 'changeDeliveryLagSeconds'>;
  }) {
    this.#log = deps.logger.child({ component: 'change-webhooks' });
    this.#metrics = deps.metrics;
  }

  /** @param webhook its id */
  pushed(webhook: string, outcome: string, facts: { attempt: number; lagSeconds: number }): void {
    this.#tell(() => {
      this.#metrics.changeDeliveries.inc({ outcome });
      if (outcome === 'delivered')
        this.#metrics.changeDeliveryLagSeconds.observe(Math.max(0, facts.lagSeconds));
      const line = { webhook, outcome, ...facts };
      if (outcome === 'dead') this.#log.error(line, 'a change is given up: it is a dead letter now');
      else this.#log.debug(line, 'a change was pushed');
    });
  }

  /** @param error in words that hold no address */
  pushFailed(webhook: string, error: string): void {
    this.#tell(() => this.#log.warn({ webhook, error }, 'a change could not be pushed'));
  }

  pushPaused(webhook: string, waitMs: number, error: unknown): void {
    this.#tell(() => this.#log.warn({ webhook, waitMs, err: error }, 'pushing waits for an address'));
  }

  webhookDisabled(webhook: string, reason: string): void {
    this.#tell(() =>
      this.#log.error({ webhook, reason }, 'changes are not pushed to this address any more: it is disabled'),
    );
  }

  webhookEnabled(webhook: string): void {
    this.#tell(() => this.#log.info({ webhook }, 'changes are pushed to this address again'));
  }

  #tell(event: () => void): void {
    try {
      event();
    } catch {
      // A full disk under the log must not stop the work that it tells of.
    }
  }
}
