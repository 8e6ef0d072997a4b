/** What was asked for, by attribute: unlike anything that anybody else writes. Null: to be cleared. */
export type Wanted = { readonly [field: string]: string | null };

export interface Operation {
  readonly n: number;
  readonly kind: 'people' | 'companies' | 'deals' | 'entries' | 'notes' | 'tasks';
  readonly method: 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly wanted: Wanted;
}

/** A write of ours, and what was heard of it. Times by the true clock. @unit ms */
export interface Asked extends Operation {
  readonly sentAt: number;
  /** When it was answered, or known to be lost. */
  endedAt: number;
  /** Null: nobody knows; it may have been accepted, and may not. */
  status: number | null;
  answer: unknown;
}

/** A value in Attio that was changed. */
export interface AttioChange {
  readonly at: number;
  /** The request that did it; null: a person. */
  readonly request: number | null;
  readonly object: string;
  readonly recordId: string;
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** A request of the service's, as it was sent. */
export interface Sent {
  readonly id: number;
  readonly life: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly sentAt: number;
}

/** A record that the service has been shown. */
export interface Shown {
  readonly life: number;
  readonly recordId: string;
  /** When Attio made the answer. */
  readonly reflects: number;
  readonly heardAt: number;
}

/** All that happened, as a witness of both sides has seen it. */
export class History {
  readonly asked: Asked[] = [];
  readonly changes: AttioChange[] = [];
  readonly sent: Sent[] = [];
  readonly shown: Shown[] = [];
  /** Dead record id → what it was merged into. */
  readonly merged = new Map<string, string>();
  /** Id → when it went. @unit ms */
  readonly deleted = new Map<string, number>();
  /** Attributes that were added, and options that were archived. */
  schemaChanges = 0;
  /** What people have done, beside what they have changed. */
  edits = 0;

  /** Whether contacts were removed through the service. */
  get removes(): boolean {
    return this.asked.some(({ method }) => method === 'DELETE');
  }

  /** What a record has become by merges; itself when there were none. */
  survivorOf(recordId: string): string {
    const into = this.merged.get(recordId);
    return into === undefined ? recordId : this.survivorOf(into);
  }
}
