import { AttioApiError } from '../../attio/errors.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { type AttioRefusal, ServiceError } from '../errors.ts';

/** What a failure means for a write that met it. */
export type FailureKind =
  /** Nothing can be sent now: all writes wait, and no attempt is counted. */
  | 'outage'
  /** Only what this write asks for is unavailable, or a person must mend something: others go on. */
  | 'held'
  /** Worth another try, soon. */
  | 'transient'
  /** For good. */
  | 'refused';

export interface Failure {
  readonly kind: FailureKind;
  readonly error: unknown;
  /** A stable code: Attio's, where it is Attio that refuses. */
  readonly code: string;
  /** In words, without values. */
  readonly detail: string;
  /** With Attio's own words, for the sender. */
  readonly message: string;
  readonly attio: AttioRefusal | null;
}

/** The one table of what is for good, by Attio's code, and what is not. */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof AttributeValueError) {
    const detail = `${error.attribute} ${error.problem}`;
    return { kind: 'refused', error, code: 'invalid_value', detail, message: detail, attio: null };
  }
  if (error instanceof ServiceError) return ofService(error);
  if (error instanceof AttioApiError) return ofAttio(error);
  return null;
}

function ofService(error: ServiceError): Failure | null {
  const common = { error, detail: error.message, message: error.message, attio: error.attio };
  if (error.kind === 'unavailable') {
    return { ...common, kind: error.isolated ? 'held' : 'outage', code: 'unavailable' };
  }
  if (error.kind !== 'refused') return null;
  return { ...common, kind: 'refused', code: error.attio?.code ?? 'refused' };
}

function ofAttio(error: AttioApiError): Failure {
  const { traits } = error;
  const code = error.code ?? error.kind;
  const words = error.detail ?? error.message;
  const common = { error, code, detail: error.message, message: 'Attio refuses the write' };
  if (traits.final) return { ...common, kind: 'refused', attio: { code, message: words } };
  if (traits.outage) return { ...common, kind: 'outage', attio: null };
  return { ...common, kind: traits.configuration ? 'held' : 'transient', attio: null };
}
