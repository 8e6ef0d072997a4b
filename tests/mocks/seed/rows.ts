import { nanoIso } from '../core/clock.ts';
import { pick, type Random } from '../core/random.ts';
import type { Actor, Row, Stamp } from '../core/types.ts';
import { createEntry } from '../state/entries.ts';
import { createRecord } from '../state/records.ts';
import type { World } from '../state/world.ts';
import { newValue } from '../state/write.ts';
import { CHOICES, DEAL_STAGES, LISTS } from './attributes.ts';
import type { WorkspaceSeed } from './workspace.ts';

const FIRST = [
  'Ada',
  'Bela',
  'Cleo',
  'Dara',
  'Emil',
  'Fina',
  'Gus',
  'Hana',
  'Ivo',
  'June',
  'Kit',
  'Lio',
  'Mira',
  'Noor',
  'Otis',
  'Pia',
  'Quin',
  'Rae',
  'Suki',
  'Tove',
] as const;
const LAST = [
  'Testa',
  'Sampleton',
  'Mockridge',
  'Fixture',
  'Dummy',
  'Stubbs',
  'Seedorf',
  'Fakenham',
  'Trialman',
  'Demoski',
  'Placehold',
  'Specimen',
  'Protosen',
  'Pattern',
  'Modelle',
  'Drafts',
  'Outline',
  'Sketchley',
  'Nominal',
  'Synthetica',
] as const;
const COMPANY = [
  'Acme',
  'Initech',
  'Globex',
  'Umbra',
  'Hooli',
  'Vandelay',
  'Wonka',
  'Stark',
  'Tyrell',
  'Cyberdyne',
] as const;
const KIND = ['Widgets', 'Robotics', 'Foods', 'Logistics', 'Software', 'Labs', 'Paper', 'Energy'] as const;
const JOBS = ['Engineer', 'Buyer', 'Head of Operations', 'Founder', 'Analyst', 'Designer'] as const;
type Town = readonly [locality: string, region: string, country: string];
const TOWNS: readonly [Town, ...Town[]] = [
  ['Berlin', 'BE', 'DE'],
  ['Lyon', 'ARA', 'FR'],
  ['Leeds', 'ENG', 'GB'],
  ['Austin', 'TX', 'US'],
];

/** A row is this much younger than its `values.created_at` says, as seen live. */
const SHOWN_EARLIER_MS = 13_000;
const STEP_MS = 1000;

export interface RowCounts {
  readonly people: number;
  readonly companies: number;
  readonly deals: number;
}

class RowSeeder {
  readonly #world: World;
  readonly #random: Random;
  readonly #seed: WorkspaceSeed;
  readonly #startMs: number;
  #step = 0;

  constructor(world: World, seed: WorkspaceSeed, random: Random, startMs: number) {
    this.#world = world;
    this.#seed = seed;
    this.#random = random;
    this.#startMs = startMs;
  }

  #stamp(): Stamp {
    this.#step += 1;
    const ms = this.#startMs + this.#step * STEP_MS;
    return { at: nanoIso(ms), actor: this.#seed.founder, shownAt: nanoIso(ms - SHOWN_EARLIER_MS) };
  }

  #pick<T>(items: readonly [T, ...T[]]): T {
    return pick(this.#random, items);
  }

  #sometimes(share: number): boolean {
    return this.#random() < share;
  }

  #choice(slug: string): string {
    const [first = '', ...rest] = CHOICES[slug] ?? [];
    return this.#pick([first, ...rest]);
  }

  company(index: number): Row {
    const name = `${this.#pick(COMPANY)} ${this.#pick(KIND)}`;
    const domain = `${name.toLowerCase().replace(' ', '-')}-${index}.example.com`;
    const values = {
      name: [`${name} ${index}`],
      domains: [domain],
      description: [`A made-up company that makes ${name.toLowerCase()} things.`],
      categories: [this.#choice('categories')],
      employee_range: [this.#choice('employee_range')],
      primary_location: [this.#location()],
      ...(this.#sometimes(0.3) && {
        tier: [this.#choice('tier')],
        annual_budget: [Math.floor(this.#random() * 1e6)],
      }),
    };
    return createRecord(this.#world, this.#seed.objects.companies, values, this.#stamp());
  }

  #location() {
    const [locality, region, country_code] = this.#pick(TOWNS);
    const lines = { line_1: null, line_2: null, line_3: null, line_4: null, postcode: null };
    return { ...lines, locality, region, country_code, latitude: null, longitude: null };
  }

  person(index: number, companies: readonly Row[]): Row {
    const [first, last] = [this.#pick(FIRST), this.#pick(LAST)];
    const company = companies[Math.floor(this.#random() * companies.length)];
    const values = {
      name: [{ first_name: first, last_name: last, full_name: `${first} ${last}` }],
      email_addresses: [`${first}.${last}.${index}@example.org`.toLowerCase()],
      job_title: [this.#pick(JOBS)],
      ...(this.#sometimes(0.5) && { phone_numbers: [`+1555${String(1_000_000 + index).slice(-7)}`] }),
      ...(this.#sometimes(0.2) && {
        lead_source: [this.#choice('lead_source')],
        vip: [this.#sometimes(0.5)],
      }),
      ...(company && { company: [{ target_object: 'companies', target_record_id: company.id }] }),
    };
    const row = createRecord(this.#world, this.#seed.objects.people, values, this.#stamp());
    if (index % 10 === 0) this.#interact(row);
    return row;
  }

  #interact(row: Row): void {
    const { table } = this.#seed.objects.people;
    const interaction = {
      interaction_type: 'email',
      interacted_at: row.createdAt,
      owner_actor: this.#seed.founder,
    };
    const system: Actor = { type: 'system', id: null };
    for (const slug of [
      'first_email_interaction',
      'last_email_interaction',
      'first_interaction',
      'last_interaction',
    ]) {
      const attribute = table.schema.find(slug);
      if (attribute === undefined) continue;
      table.put(row, attribute, [newValue(attribute, interaction, { at: row.createdAt, actor: system })]);
    }
  }

  deal(index: number, companies: readonly Row[], people: readonly Row[]): void {
    const company = companies[Math.floor(this.#random() * companies.length)];
    const person = people[Math.floor(this.#random() * people.length)];
    const values = {
      name: [`Deal ${index}`],
      stage: [this.#pick(DEAL_STAGES)],
      owner: [{ referenced_actor_type: 'workspace-member', referenced_actor_id: this.#seed.founder.id }],
      value: [Math.floor(this.#random() * 100_000)],
      ...(company && { associated_company: [{ target_object: 'companies', target_record_id: company.id }] }),
      ...(person && { associated_people: [{ target_object: 'people', target_record_id: person.id }] }),
    };
    createRecord(this.#world, this.#seed.objects.deals, values, this.#stamp());
  }

  entries(rows: { readonly people: readonly Row[]; readonly companies: readonly Row[] }): void {
    for (const { slug, parent, stages } of LISTS) {
      const list = this.#world.list(slug);
      const object = this.#seed.objects[parent];
      for (const [index, row] of rows[parent].entries()) {
        if (index % 10 !== 0) continue;
        const values = { stage: [this.#pick(stages)], value: [Math.floor(this.#random() * 10_000)] };
        createEntry(this.#world, list, { object, recordId: row.id }, values, this.#stamp());
      }
    }
  }
}

/** Made-up people, companies and deals, an hour or more before the sandbox starts. */
export function seedRows(
  world: World,
  seed: WorkspaceSeed,
  counts: RowCounts,
  random: Random,
  startMs: number,
): void {
  const seeder = new RowSeeder(world, seed, random, startMs);
  const companies = Array.from({ length: counts.companies }, (_, index) => seeder.company(index));
  const people = Array.from({ length: counts.people }, (_, index) => seeder.person(index, companies));
  for (let index = 0; index < counts.deals; index += 1) seeder.deal(index, companies, people);
  seeder.entries({ people, companies });
}

const FIXED_START = Date.UTC(2026, 0, 5);
const ROOM_MS = 30 * 24 * 3_600_000;

/** When the seeded workspace began: a fixed day, or a month before a clock that has not got there. */
export function seedStart(nowMs: number): number {
  return Math.min(FIXED_START, nowMs - ROOM_MS);
}
