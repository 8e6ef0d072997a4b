import { AttioApiError } from '../../attio/errors.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { concernsAll } from '../attio-errors.ts';
import { type AttioRefusal, ServiceError } from '../errors.ts';

/** What a failure means for a write that met it. */
export type FailureKind =
  /** Nothing can be sent now: all writes wait, and no attempt is counted. */
  | 'outage'
  /** A person must mend something (a scope, the plan, the address) before anything of this object can be written. */
  | 'misconfigured'
  /** Only this write is held up, by the state of its record: it comes back soon. */
  | 'held'
  /** Worth other tries, at growing distances. */
  | 'transient'
  /** For good. */
  | 'refused';

export interface Failure {
  readonly kind: FailureKind;
  readonly error: unknown;
  /** A stable code: Attio's, where it is Attio that refuses. */
  readonly code: string;
  /** In words; Attio's may quote what was written, so it is kept with the write and never logged. */
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
  const { cause, message } = error;
  const words = error.attio === null ? message : `${message}: ${error.attio.message}`;
  const common = { error, detail: words, message, attio: error.attio };
  if (error.kind === 'refused') return { ...common, kind: 'refused', code: error.attio?.code ?? 'refused' };
  // The workspace has no such object.
  if (error.kind === 'not_found') return { ...common, kind: 'refused', code: 'not_found' };
  if (error.kind !== 'unavailable') return null;
  if (cause instanceof AttioApiError) return { ...ofAttio(cause), error };
  return { ...common, kind: error.isolated ? 'held' : 'outage', code: 'unavailable' };
}

function ofAttio(error: AttioApiError): Failure {
  const { traits } = error;
  const code = error.code ?? error.kind;
  const common = { error, code, detail: error.message, message: 'Attio refuses the write', attio: null };
  if (traits.final) {
    const words = error.detail ?? error.message;
    return { ...common, kind: 'refused', detail: `${code}: ${words}`, attio: { code, message: words } };
  }
  if (concernsAll(error)) return { ...common, kind: 'outage' };
  return { ...common, kind: traits.configuration ? 'misconfigured' : 'transient' };
}
