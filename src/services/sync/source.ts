import type { RecordSnapshot } from '../../domain/records.ts';

/** One answer of Attio with records. */
export interface SourcePage {
  readonly snapshots: readonly RecordSnapshot[];
  /** Ids of records in the answer that could not be read. */
  readonly invalidIds: readonly string[];
  /** The instant the answer reflects. */
  readonly readAt: string;
  /** Records in the answer, readable or not. */
  readonly size: number;
}

/** Reads records from Attio for the sync. @throws ServiceError */
export interface RecordSource {
  /** Oldest first, which keeps offsets stable while records are added. */
  page(object: string, offset: number, limit: number, signal: AbortSignal): Promise<SourcePage>;
  byIds(object: string, recordIds: readonly string[], signal: AbortSignal): Promise<SourcePage>;
}
