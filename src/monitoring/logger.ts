import { type DestinationStream, type Logger, pino } from 'pino';
import { lineTime, standardOutput } from './log-output.ts';
import { REDACTED, redactLine, serializeError } from './redaction.ts';

/** What a child logger's fixed members may wrongly hold; those of a line are redacted by `redactLine`. */
const SENSITIVE_BINDINGS = ['authorization', 'cookie', 'token', 'secret', 'email', 'phone', 'values', 'body'];

export interface LoggerOptions {
  readonly name: string;
  /** A level of pino, or `silent`. */
  readonly level: string;
  /** @default standard output */
  readonly destination?: DestinationStream;
}

/** A logger that writes one JSON object per line and no secret or personal value in it. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    timestamp: lineTime,
    redact: { paths: SENSITIVE_BINDINGS, censor: REDACTED },
    formatters: { log: redactLine },
    serializers: { err: serializeError, req: serializeRequest, res: serializeResponse },
  };
  return pino(settings, options.destination ?? standardOutput());
}

interface RequestFacts {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly url?: unknown;
}

/** No headers, and no query string: it may hold a person's address. */
function serializeRequest(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return typeof request;
  const { id, method, url } = request as RequestFacts; // every member is looked at before it is used
  return { id, method, path: typeof url === 'string' ? url.split('?', 1)[0] : undefined };
}

function serializeResponse(response: unknown): unknown {
  if (typeof response !== 'object' || response === null) return typeof response;
  return { statusCode: (response as { statusCode?: unknown }).statusCode }; // any or none: it is only shown
}
