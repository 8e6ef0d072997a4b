/** `automation`: of one automation for one event; the mirror is right all the same. */
export const DEAD_LETTER_KINDS = ['inbox', 'outbox', 'notify', 'automation'] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

/** Work that was given up, kept whole so that it can be seen and tried again. */
export interface DeadLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  /** A stable code, such as `unreadable_body` or `attempts_exhausted`. */
  readonly reason: string;
  /** In words. Of a refused write they are Attio's, and may quote what was written: an erasure removes them. */
  readonly detail: string;
  /** The inbox event's row, when there is one. */
  readonly eventId: number | null;
  /** The write's row in the outbox, when there is one. */
  readonly outboxId: number | null;
  /** The name of the automation, when it is of one. */
  readonly automation: string | null;
  /** The row of a change that was to be pushed, when it is of one. */
  readonly deliveryId: number | null;
  readonly eventType: string | null;
  /** Base64 of the body, when it could not be read. */
  readonly bodyBase64: string | null;
  readonly attempts: number;
  readonly createdAt: string;
}

export type NewDeadLetter = Omit<DeadLetter, 'id' | 'automation' | 'deliveryId'> & {
  readonly automation?: string;
  readonly deliveryId?: number;
};
