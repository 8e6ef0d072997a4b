import { z } from 'zod';
import type { Sandbox } from '../mocks/sandbox.ts';
import type { Change } from './service-api.ts';

/** What somebody did in Attio, and how it is recognised on its way. */
export interface Happening {
  /** In plain words. */
  readonly said: string;
  readonly object: string;
  readonly recordId: string;
  /** The webhook event that tells of it. */
  readonly event: string;
  readonly change: (change: Change) => boolean;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly jobTitle: string;
}

/** All of a person that the demo writes. */
export interface Card {
  readonly name: string;
  readonly emails: readonly string[];
  readonly phones: readonly string[];
  readonly jobTitle: string;
  readonly companyId: string;
  readonly createdAt: string;
}

export interface Company {
  readonly id: string;
  readonly name: string;
  readonly tier: string;
}

export interface Deal {
  readonly id: string;
  readonly name: string;
  readonly stage: string;
}

interface Member {
  readonly email: string;
  readonly name: string;
}

const MEMBERS: readonly [Member, ...Member[]] = [
  { email: 'robin@example.com', name: 'Robin Example' },
  { email: 'sam@example.com', name: 'Sam Sample' },
  { email: 'alex@example.com', name: 'Alex Placeholder' },
];

const texts = z.record(z.string(), z.unknown());
const records = z.array(
  z.object({
    id: z.object({ record_id: z.string() }),
    created_at: z.string(),
    values: z.record(z.string(), z.array(texts)),
  }),
);
type AttioRecord = z.output<typeof records>[number];

const PAGE = 500;

/** The made-up company in Attio: who there is, and what its people do at their screens. */
export class Workspace {
  /** Records that pointed at merged ones. They point at the new one now, and no webhook told of that. */
  silentlyChanged = 0;
  readonly #sandbox: Sandbox;
  #turn = 0;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Records of an object. */
  count(object: string): number {
    return this.#sandbox.world.object(object).table.size;
  }

  people(): Person[] {
    return this.#all('people').map((person) => ({
      id: person.id.record_id,
      name: text(person, 'name', 'full_name'),
      email: text(person, 'email_addresses', 'email_address'),
      jobTitle: text(person, 'job_title', 'value'),
    }));
  }

  /** As its page in Attio shows it. @throws when there is no such person */
  card(id: string): Card {
    const person = this.#one('people', id);
    return {
      name: text(person, 'name', 'full_name'),
      emails: list(person, 'email_addresses', 'email_address'),
      phones: list(person, 'phone_numbers', 'phone_number'),
      jobTitle: text(person, 'job_title', 'value'),
      companyId: text(person, 'company', 'target_record_id'),
      createdAt: person.created_at,
    };
  }

  /** @returns null when there is none */
  companyWith(domain: string): { readonly id: string; readonly createdAt: string } | null {
    const has = (company: AttioRecord) => list(company, 'domains', 'domain').includes(domain);
    const found = this.#all('companies').find(has);
    return found === undefined ? null : { id: found.id.record_id, createdAt: found.created_at };
  }

  companies(): Company[] {
    return this.#all('companies').map((company) => ({
      id: company.id.record_id,
      name: text(company, 'name', 'value'),
      tier: title(company, 'tier', 'option'),
    }));
  }

  deals(): Deal[] {
    return this.#all('deals').map((deal) => ({
      id: deal.id.record_id,
      name: text(deal, 'name', 'value'),
      stage: title(deal, 'stage', 'status'),
    }));
  }

  setJobTitle(person: Person, jobTitle: string): Happening {
    const actor = this.#someone();
    this.#sandbox.edit({
      object: 'people',
      recordId: person.id,
      values: { job_title: [jobTitle] },
      actor: actor.email,
    });
    const said = `${actor.name} sets the job title of ${person.name} to "${jobTitle}".`;
    return updated('people', person.id, 'job_title', said);
  }

  /** Beside the first address, which stays. */
  addAddress(person: Person, email: string, phone: string): Happening {
    const actor = this.#someone();
    const { phones } = this.card(person.id);
    this.#sandbox.edit({
      object: 'people',
      recordId: person.id,
      values: { email_addresses: [person.email, email], phone_numbers: [...phones, phone] },
      actor: actor.email,
    });
    const said = `${actor.name} gives ${person.name} a second address, ${email}, and a phone number, ${phone}.`;
    return updated('people', person.id, 'email_addresses', said);
  }

  setTier(company: Company, tier: string): Happening {
    const actor = this.#someone();
    this.#sandbox.edit({
      object: 'companies',
      recordId: company.id,
      values: { tier: [tier] },
      actor: actor.email,
    });
    const said = `${actor.name} makes ${company.name} a ${tier} customer.`;
    return updated('companies', company.id, 'tier', said);
  }

  setStage(deal: Deal, stage: string): Happening {
    const actor = this.#someone();
    this.#sandbox.edit({
      object: 'deals',
      recordId: deal.id,
      values: { stage: [stage] },
      actor: actor.email,
    });
    return updated('deals', deal.id, 'stage', `${actor.name} moves ${deal.name} to the stage "${stage}".`);
  }

  addPerson(firstName: string, lastName: string, email: string): Happening {
    const actor = this.#someone();
    const name = { first_name: firstName, last_name: lastName, full_name: `${firstName} ${lastName}` };
    const record = this.#sandbox.createRecord({
      object: 'people',
      values: { name: [name], email_addresses: [email], job_title: ['Buyer'] },
      actor: actor.email,
    });
    const [recordId] = records.parse([record]).map(({ id }) => id.record_id);
    return {
      said: `${actor.name} adds a person: ${firstName} ${lastName}, ${email}.`,
      object: 'people',
      recordId: recordId ?? '',
      event: 'record.created',
      change: (change) => change.type === 'record.created' && change.id === recordId,
    };
  }

  deletePerson(person: Pick<Person, 'id' | 'name'>): Happening {
    const actor = this.#someone();
    this.#sandbox.deleteRecord({ object: 'people', recordId: person.id, actor: actor.email });
    return {
      said: `${actor.name} deletes ${person.name}.`,
      object: 'people',
      recordId: person.id,
      event: 'record.deleted',
      change: (change) => change.type === 'record.deleted' && change.id === person.id,
    };
  }

  /** Attio makes a new record of the two; both old ids are dead. */
  mergePeople(kept: Person, duplicate: Person): Happening {
    const actor = this.#someone();
    this.silentlyChanged += this.#pointingAt([kept.id, duplicate.id]);
    const record = this.#sandbox.merge({
      object: 'people',
      primaryRecordId: kept.id,
      secondaryRecordId: duplicate.id,
      actor: actor.email,
    });
    const [recordId] = records.parse([record]).map(({ id }) => id.record_id);
    return {
      said: `${actor.name} merges ${duplicate.name} into ${kept.name}, for they are one person.`,
      object: 'people',
      recordId: recordId ?? '',
      event: 'record.merged',
      change: (change) =>
        change.type === 'record.merged' && change.id === recordId && change.mergedId === duplicate.id,
    };
  }

  /** Of a record in a list. */
  entriesOf(list: string, recordId: string): { readonly id: string }[] {
    const entries = z
      .array(z.object({ id: z.object({ entry_id: z.string() }), parent_record_id: z.string() }))
      .parse(this.#sandbox.act({ method: 'POST', path: `/lists/${list}/entries/query`, body: {} }));
    return entries
      .filter(({ parent_record_id: parent }) => parent === recordId)
      .map(({ id }) => ({ id: id.entry_id }));
  }

  /** Robin does. */
  moveEntry(list: string, entryId: string, stage: string): void {
    this.#sandbox.act({
      method: 'PATCH',
      path: `/lists/${list}/entries/${entryId}`,
      body: { data: { entry_values: { stage } } },
      actor: MEMBERS[0].email,
    });
  }

  /** Robin does. */
  completeTask(taskId: string): void {
    const body = { data: { is_completed: true } };
    this.#sandbox.act({ method: 'PATCH', path: `/tasks/${taskId}`, body, actor: MEMBERS[0].email });
  }

  /** Of the person with an address. */
  idOf(email: string): string {
    return this.people().find((person) => person.email === email)?.id ?? '';
  }

  dealsNamed(name: string): number {
    return this.deals().filter((deal) => deal.name === name).length;
  }

  #pointingAt(ids: readonly string[]): number {
    return ['people', 'companies', 'deals']
      .flatMap((object) => this.#all(object))
      .filter(({ id }) => !ids.includes(id.record_id))
      .filter(({ values }) => ids.some((id) => JSON.stringify(values).includes(id))).length;
  }

  /** Whoever's turn it is. */
  #someone(): Member {
    this.#turn += 1;
    return MEMBERS[this.#turn % MEMBERS.length] ?? MEMBERS[0];
  }

  #one(object: string, id: string): AttioRecord {
    const path = `/objects/${object}/records/${id}`;
    const [found] = records.parse([this.#sandbox.act({ method: 'GET', path })]);
    if (found === undefined) throw new Error(`Attio has no such record: ${id}`);
    return found;
  }

  /** Read past the API, so that it counts as nobody's request. */
  #all(object: string): AttioRecord[] {
    const all: AttioRecord[] = [];
    for (let page = PAGE; page === PAGE; ) {
      const body = { limit: PAGE, offset: all.length };
      const found = records.parse(
        this.#sandbox.act({ method: 'POST', path: `/objects/${object}/records/query`, body }),
      );
      all.push(...found);
      page = found.length;
    }
    return all;
  }
}

function updated(object: string, recordId: string, slug: string, said: string): Happening {
  return {
    said,
    object,
    recordId,
    event: 'record.updated',
    change: (change) =>
      change.type === 'record.updated' && change.id === recordId && change.changed.includes(slug),
  };
}

function text(record: AttioRecord, slug: string, member: string): string {
  return String(record.values[slug]?.[0]?.[member] ?? '');
}

function list(record: AttioRecord, slug: string, member: string): string[] {
  return (record.values[slug] ?? []).map((value) => String(value[member] ?? ''));
}

/** Of a select option or a status. */
function title(record: AttioRecord, slug: string, member: string): string {
  const shown = z.object({ title: z.string() }).safeParse(record.values[slug]?.[0]?.[member]);
  return shown.data?.title ?? '';
}
