/** A run of an automation that a webhook event calls for: one per automation and event. */
export interface NewAutomationJob {
  readonly automation: string;
  /** The inbox event's row. */
  readonly eventId: number;
  readonly eventType: string;
  /** The event as JSON text. */
  readonly payload: string;
  /** What the event is about: runs of one automation for one thing come one after the other. */
  readonly thing: string;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
}

export interface AutomationJob extends NewAutomationJob {
  readonly id: number;
  /** Failed ones so far. */
  readonly attempts: number;
}
