import type { Exchange } from '../mocks/core/exchange.ts';
import { loadAttioOpenApi } from '../mocks/openapi-validator.ts';

const validator = loadAttioOpenApi();
const violations: string[] = [];

/** Holds every request that we send, and every answer of the sandbox, against the vendor's OpenAPI, where it is at hand. */
export function checkingExchanges(): (exchange: Exchange) => void {
  return (exchange) => {
    if (validator === null) return;
    const found = validator
      .check(exchange)
      .map((problem) => `${exchange.method} ${exchange.url}: ${problem}`);
    violations.push(...found.slice(0, 10));
  };
}

/** What did not conform since the last call. */
export function takeViolations(): string[] {
  return violations.splice(0);
}
