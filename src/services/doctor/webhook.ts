import type { Webhook } from '../../attio/types.ts';
import { coverageOf, hashOfSecret, type WebhookRegistration } from '../webhook-registration.ts';
import { troubled } from './attio.ts';
import { all, type Check, failed, ok, warning } from './check.ts';

const REGISTER = 'npm run cli -- webhooks register --env-file .env';
const ROTATE = 'npm run cli -- webhooks rotate --env-file .env';

/** What the database knows of the secrets and of the deliveries that came; null: there is none, or it is too old. */
export interface WebhookTrust {
  readonly hashes: ReadonlyMap<string, string>;
  readonly acceptedAt: string | null;
  readonly refusedAt: string | null;
}

export interface WebhookSubject {
  readonly registration: Pick<WebhookRegistration, 'at' | 'complete'>;
  /** Where Attio is to deliver; null: PUBLIC_URL is not set. */
  readonly target: string | null;
  /** Those of ATTIO_WEBHOOK_SECRET. */
  readonly secrets: readonly string[];
}

export async function checkWebhook(
  subject: WebhookSubject,
  options: { fix: boolean; trust: WebhookTrust | null },
): Promise<Check[]> {
  const { registration, target, secrets } = subject;
  if (target === null) {
    return [
      warning(
        'webhook',
        'PUBLIC_URL is not set, so it cannot be told whether Attio delivers to this service',
        'Set PUBLIC_URL to the https address under which Attio reaches this service.',
      ),
      ...judgeSecret({ hooks: [], secrets, trust: options.trust }),
    ];
  }
  try {
    const hooks = await registration.at(target);
    const [newest] = hooks;
    if (newest === undefined) {
      return [failed('webhook', `no webhook of the workspace delivers to ${target}`, `Run: ${REGISTER}`)];
    }
    const events = options.fix ? await mendEvents(registration, hooks, newest) : judgeEvents(hooks);
    return [...hooks.map(judgeStatus), ...events, ...judgeSecret({ hooks, secrets, trust: options.trust })];
  } catch (error) {
    return [troubled('webhook', error)];
  }
}

export function judgeStatus({
  id,
  status,
  target_url: url,
}: Pick<Webhook, 'id' | 'status' | 'target_url'>): Check {
  const name = `webhook ${id.webhook_id}, to ${url},`;
  if (status === 'active') return ok('webhook', `${name} is active`);
  if (status === 'degraded') {
    return warning(
      'webhook',
      `${name} is degraded: deliveries have failed for three days, though Attio still tries; after seven more it stops`,
      'See that PUBLIC_URL leads to this service and that it runs; what was lost is found by: npm run cli -- sync all',
    );
  }
  return failed(
    'webhook',
    `${name} is ${status}: Attio delivers nothing any more`,
    `See that PUBLIC_URL leads to this service, run: ${ROTATE}, delete the old webhook, and then: npm run cli -- sync all`,
  );
}

export function judgeEvents(hooks: readonly Webhook[]): Check[] {
  const { missing, filtered } = coverageOf(hooks);
  const checks: Check[] = [];
  if (missing.length > 0) {
    checks.push(
      failed(
        'webhook-events',
        `the webhook is not subscribed to ${all(missing)}`,
        'Run doctor --fix, which adds them.',
      ),
    );
  }
  if (filtered.length > 0) {
    checks.push(
      warning(
        'webhook-events',
        `a filter holds back some of ${all(filtered)}`,
        'Take the filter away, unless somebody means it.',
      ),
    );
  }
  return checks.length > 0
    ? checks
    : [ok('webhook-events', 'the webhook is subscribed to every event that is handled')];
}

async function mendEvents(
  registration: WebhookSubject['registration'],
  hooks: readonly Webhook[],
  newest: Webhook,
): Promise<Check[]> {
  const { webhook, added } = await registration.complete(hooks, newest);
  if (added.length === 0) return judgeEvents(hooks);
  const after = hooks.map((hook) => (hook.id.webhook_id === webhook.id.webhook_id ? webhook : hook));
  return [
    ok('webhook-events', `the webhook is subscribed to ${all(added)} now: added`),
    ...judgeEvents(after).filter(({ status }) => status !== 'ok'),
  ];
}

/** Whether ATTIO_WEBHOOK_SECRET is what Attio signs with, by what was told at registration and by what came. */
export function judgeSecret(known: {
  hooks: readonly Pick<Webhook, 'id'>[];
  secrets: readonly string[];
  trust: WebhookTrust | null;
}): Check[] {
  const { hooks, secrets, trust } = known;
  if (secrets.length === 0) {
    return [
      warning(
        'webhook-secret',
        'ATTIO_WEBHOOK_SECRET is not set, so deliveries are answered 503',
        `Put the secret there that was told at registration; for a new one, run: ${ROTATE}`,
      ),
    ];
  }
  const ours = new Set(secrets.map(hashOfSecret));
  const told = hooks.flatMap(({ id }) => {
    const hash = trust?.hashes.get(id.webhook_id);
    return hash === undefined ? [] : [{ id: id.webhook_id, matches: ours.has(hash) }];
  });
  const wrong = told.filter(({ matches }) => !matches).map(({ id }) => id);
  if (wrong.length > 0) {
    return [
      failed(
        'webhook-secret',
        `ATTIO_WEBHOOK_SECRET does not hold the secret that Attio told for webhook ${all(wrong)}`,
        `Put that secret there and start the service again; if it is lost, run: ${ROTATE}, and delete the old webhook.`,
      ),
    ];
  }
  return [judgeDeliveries(trust, told.length > 0 && told.length === hooks.length)];
}

function judgeDeliveries(trust: WebhookTrust | null, isTold: boolean): Check {
  const { acceptedAt = null, refusedAt = null } = trust ?? {};
  if (refusedAt !== null && (acceptedAt === null || refusedAt > acceptedAt)) {
    return failed(
      'webhook-secret',
      `deliveries come signed with another secret than ATTIO_WEBHOOK_SECRET: one was refused at ${refusedAt}, and none accepted since`,
      `If the variable was set since, start the service again; else run: ${ROTATE}`,
    );
  }
  if (acceptedAt !== null)
    return ok('webhook-secret', `deliveries are signed with our secret; the last at ${acceptedAt}`);
  if (isTold)
    return ok('webhook-secret', 'ATTIO_WEBHOOK_SECRET is the secret that Attio told at registration');
  return warning(
    'webhook-secret',
    'it is not known yet whether Attio signs with ATTIO_WEBHOOK_SECRET: no delivery has come',
    'Start the service, change a record in Attio, and run doctor again.',
  );
}
