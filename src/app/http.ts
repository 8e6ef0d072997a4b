import type { FastifyInstance } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };
import { numbered } from '../api/hooks.ts';
import { createHttpServer } from '../api/server.ts';
import type { DeadLetter } from '../domain/dead-letters.ts';
import { BatchesService } from '../services/contacts.ts';
import { DeadLettersService } from '../services/dead-letters.ts';
import type { HealthService } from '../services/health.ts';
import { RecordsService } from '../services/records.ts';
import { SignatureVerifier } from '../webhooks/verify.ts';
import type { AttioParts } from './attio.ts';
import type { AutomationParts } from './automations.ts';
import { type Base, isoAgo } from './base.ts';
import type { ChangeWebhookParts } from './change-webhooks.ts';
import type { InboxParts } from './inbox.ts';
import type { MirrorParts } from './mirror.ts';
import type { OutboxParts } from './outbox.ts';
import type { ServiceParts } from './services.ts';

interface HttpParts {
  readonly attio: AttioParts;
  readonly mirror: MirrorParts;
  readonly inbox: InboxParts;
  readonly outbox: OutboxParts;
  readonly automations: AutomationParts;
  readonly services: ServiceParts;
  readonly changeWebhooks: ChangeWebhookParts;
}

/** What the outside sees. */
export function buildHttp(
  base: Base,
  parts: HttpParts,
  health: HealthService,
  draining: AbortSignal,
): FastifyInstance {
  const { config, store, inbox: inboxStore, deadLetters, events } = base;
  const { attio, mirror, inbox, outbox, services } = parts;
  const { intake, worker } = inbox;
  const replayInbox = async (letter: DeadLetter) => {
    if (letter.eventId === null) {
      await intake.acceptAgain(letter);
      await deadLetters.remove(Number(letter.id));
    } else {
      await inboxStore.revive(letter.eventId, Number(letter.id), isoAgo(base.clock, 0));
      worker.wakeAll();
    }
  };
  return createHttpServer({
    version: manifest.version,
    logger: base.logger.child({ component: 'http' }),
    newId: numbered(base.newId()),
    draining,
    access: config.http,
    metrics: base.metrics,
    services: {
      contacts: services.contacts,
      companies: services.companies,
      deals: services.deals,
      pipelines: services.pipelines,
      activity: services.activity,
      batches: new BatchesService({ batches: store.batches }),
      conflicts: services.conflicts,
      records: new RecordsService({ records: attio.records, schema: attio.schema }),
      schema: attio.schema,
      sync: mirror.sync,
      changes: mirror.changes,
      changeWebhooks: parts.changeWebhooks.pusher,
      deadLetters: new DeadLettersService({
        letters: deadLetters,
        replays: {
          inbox: replayInbox,
          outbox: (letter) => outbox.revive(letter),
          automation: (letter) => parts.automations.engine.revive(letter),
          notify: (letter) => parts.changeWebhooks.pusher.revive(letter),
        },
      }),
      health,
    },
    mapping: config.mapping,
    idempotency: { store: base.idempotency, clock: base.clock },
    webhooks: {
      verifier: new SignatureVerifier(config.webhooks.secrets, inbox.signatures),
      inbox: intake,
      events,
    },
  });
}
