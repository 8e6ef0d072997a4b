import type { ChangeWebhookState } from '../../domain/change-webhooks.ts';
import type { Endpoint } from '../change-webhooks/message.ts';
import { type Check, failed, ok, warning } from './check.ts';

export interface ChangeWebhookSubject {
  /** In the order of CHANGE_WEBHOOK_URLS. */
  readonly endpoints: readonly Endpoint[];
  /** Looks up where it leads; connects to nothing. @throws an error that says why it cannot be pushed to */
  probe(url: URL): Promise<void>;
  /** Those that the database knows. @throws when it cannot be read */
  known(): Promise<readonly ChangeWebhookState[]>;
}

/** @param isReadable whether the database is up to date, so that it can say how they fare */
export async function* checkChangeWebhooks(
  { endpoints, probe, known }: ChangeWebhookSubject,
  isReadable: boolean,
): AsyncGenerator<Check> {
  const states = isReadable ? await known() : [];
  for (const [index, { id, host, url }] of endpoints.entries()) {
    const what = `the change webhook ${host} (number ${index + 1})`;
    const state = states.find((one) => one.id === id);
    const trouble = await probe(url).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : 'cannot be looked up'),
    );
    yield judge(what, trouble, state);
  }
}

const ID = 'change-webhooks';

function judge(what: string, trouble: string | null, state: ChangeWebhookState | undefined): Check {
  if (trouble !== null) {
    return failed(
      ID,
      `${what} ${trouble}`,
      'Correct it in CHANGE_WEBHOOK_URLS, or, if it is to be so, allow it by changeWebhooks.allowedHosts in config/*.json.',
    );
  }
  if (state?.status === 'disabled') {
    return failed(
      ID,
      `${what} is disabled: it ${state.disabledReason}`,
      `Mend what is there, then: npm run cli -- change-webhooks enable ${state.id}`,
    );
  }
  if (state?.failingSince != null) {
    return warning(
      ID,
      `${what} fails since ${state.failingSince}: it ${state.lastError}`,
      'Mend what is there; what waits is delivered then.',
    );
  }
  return ok(ID, `${what} can be pushed to`);
}
