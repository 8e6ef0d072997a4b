import { CompaniesService, ContactsService } from '../services/contacts.ts';
import { DealsService } from '../services/deals.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';
import { buildConflicts } from './conflicts.ts';
import { buildItems } from './items.ts';
import type { MirrorParts } from './mirror.ts';
import type { OutboxParts } from './outbox.ts';

/** What internal systems, and automations, read and write. */
export function buildServices(base: Base, attio: AttioParts, mirror: MirrorParts, outbox: OutboxParts) {
  const { store, clock } = base;
  const { members, schema } = attio;
  const { mapping } = mirror;
  const things = {
    entities: store.entities,
    outbox: store.outbox,
    conflicts: store.conflicts,
    writer: outbox.writer,
    mapping,
  };
  const deals = new DealsService({ ...things, members, schema, clock });
  return {
    contacts: new ContactsService({ ...things, removal: outbox.removal, restoring: outbox.restoring }),
    companies: new CompaniesService({ ...things, restoring: outbox.restoring }),
    deals,
    conflicts: buildConflicts(base, attio, mirror, outbox),
    ...buildItems(base, attio, mirror, outbox, deals),
  };
}

export type ServiceParts = ReturnType<typeof buildServices>;
