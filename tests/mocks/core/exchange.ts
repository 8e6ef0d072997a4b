/** A request and its answer, free of any transport. */
export interface PlainRequest {
  readonly method: string;
  /** Path and query, or an absolute URL. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a face must do instead of answering: cut the connection, or never answer. */
export interface TransportFault {
  readonly fault: 'disconnect' | 'hang';
}

export type PlainAnswer = PlainResponse | TransportFault;
export type SandboxAnswer = Response | TransportFault;

/** What `onExchange` sees of a request that was answered. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly requestBody: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly responseBody: string;
}

export function isFault(answer: PlainAnswer): answer is TransportFault {
  return 'fault' in answer;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  500: 'Internal Server Error',
  502: 'Bad gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway time-out',
};

/** The kind of page a proxy in front of Attio sends: HTML where a client expects JSON. */
export function proxyPage(status: number, rayId: string): string {
  const title = `${status} ${REASONS[status] ?? 'Error'}`;
  return (
    `<!DOCTYPE html>\n<html lang="en-US">\n<head><title>api.attio.com | ${title}</title></head>\n` +
    `<body><h1>${title}</h1><p>Cloudflare Ray ID: <strong>${rayId}</strong></p></body>\n</html>\n`
  );
}
