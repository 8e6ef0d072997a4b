import type { AttributeDraft } from '../state/schema.ts';

const system = { system: true } as const;
/** Filled by Attio itself: not writable, and without a history for readers. */
const enriched = { system: true, writable: false, enriched: true } as const;

/** Filled by Attio where nobody has: writable, but without a history for readers as well. */
const alsoEnriched = { system: true, enriched: true } as const;

const INTERACTIONS: readonly AttributeDraft[] = [
  'first_calendar_interaction',
  'last_calendar_interaction',
  'next_calendar_interaction',
  'first_email_interaction',
  'last_email_interaction',
  'first_interaction',
  'last_interaction',
  'next_interaction',
].map((slug) => ({ ...enriched, slug, type: 'interaction' }));

const CONNECTIONS: readonly AttributeDraft[] = [
  {
    ...enriched,
    slug: 'strongest_connection_strength_legacy',
    type: 'number',
    title: 'Connection strength (legacy)',
  },
  { ...enriched, slug: 'strongest_connection_strength', type: 'select', title: 'Connection strength' },
  { ...enriched, slug: 'strongest_connection_user', type: 'actor-reference', title: 'Strongest connection' },
];

const SOCIAL: readonly AttributeDraft[] = [
  { ...system, slug: 'angellist', type: 'text', title: 'AngelList' },
  { ...system, slug: 'facebook', type: 'text' },
  { ...system, slug: 'instagram', type: 'text' },
  { ...system, slug: 'linkedin', type: 'text', title: 'LinkedIn' },
  { ...system, slug: 'twitter', type: 'text' },
  { ...enriched, slug: 'twitter_follower_count', type: 'number' },
];

export const PEOPLE: readonly AttributeDraft[] = [
  { ...system, slug: 'name', type: 'personal-name' },
  { ...system, slug: 'email_addresses', type: 'email-address', unique: true, multi: true },
  { ...alsoEnriched, slug: 'description', type: 'text' },
  { ...system, slug: 'company', type: 'record-reference' },
  { ...system, slug: 'job_title', type: 'text' },
  { ...enriched, slug: 'avatar_url', type: 'text', title: 'Avatar URL' },
  { ...system, slug: 'phone_numbers', type: 'phone-number', multi: true },
  { ...system, slug: 'primary_location', type: 'location' },
  ...SOCIAL,
  ...INTERACTIONS,
  ...CONNECTIONS,
  { ...system, slug: 'associated_deals', type: 'record-reference', multi: true },
];

/** One custom attribute of every type that the standard ones do not show. */
export const PEOPLE_CUSTOM: readonly AttributeDraft[] = [
  { slug: 'lead_source', type: 'select' },
  { slug: 'interests', type: 'select', multi: true },
  { slug: 'satisfaction', type: 'rating' },
  { slug: 'vip', type: 'checkbox', title: 'VIP' },
  { slug: 'lead_score', type: 'number' },
  { slug: 'birthday', type: 'date' },
  { slug: 'last_contacted_at', type: 'timestamp' },
  { slug: 'internal_comment', type: 'text' },
  { slug: 'account_manager', type: 'actor-reference' },
  { slug: 'referred_by', type: 'record-reference' },
];

export const COMPANIES: readonly AttributeDraft[] = [
  { ...system, slug: 'domains', type: 'domain', unique: true, multi: true },
  { ...system, slug: 'name', type: 'text' },
  { ...alsoEnriched, slug: 'description', type: 'text' },
  { ...system, slug: 'team', type: 'record-reference', multi: true },
  { ...system, slug: 'categories', type: 'select', multi: true },
  { ...system, slug: 'primary_location', type: 'location' },
  { ...enriched, slug: 'logo_url', type: 'text', title: 'Logo URL' },
  ...SOCIAL,
  { ...system, slug: 'estimated_arr_usd', type: 'select', title: 'Estimated ARR' },
  {
    ...system,
    slug: 'funding_raised_usd',
    type: 'currency',
    title: 'Funding raised',
    currencyCode: 'USD',
    currencyDisplay: 'symbol',
  },
  { ...system, slug: 'foundation_date', type: 'date' },
  { ...system, slug: 'employee_range', type: 'select' },
  ...INTERACTIONS,
  ...CONNECTIONS,
  { ...system, slug: 'associated_deals', type: 'record-reference', multi: true },
];

export const COMPANIES_CUSTOM: readonly AttributeDraft[] = [
  { slug: 'tier', type: 'select' },
  { slug: 'support_phone', type: 'phone-number' },
  { slug: 'annual_budget', type: 'currency', currencyCode: 'EUR', currencyDisplay: 'code' },
];

/** Name, stage and owner are required; value defaults to US dollars. */
export const DEALS: readonly AttributeDraft[] = [
  { ...system, slug: 'name', type: 'text', title: 'Deal name', required: true },
  { ...system, slug: 'stage', type: 'status', title: 'Deal stage', required: true },
  { ...system, slug: 'owner', type: 'actor-reference', title: 'Deal owner', required: true },
  {
    ...system,
    slug: 'value',
    type: 'currency',
    title: 'Deal value',
    currencyCode: 'USD',
    currencyDisplay: 'symbol',
  },
  { ...system, slug: 'associated_people', type: 'record-reference', multi: true },
  { ...system, slug: 'associated_company', type: 'record-reference' },
];

export const DEALS_CUSTOM: readonly AttributeDraft[] = [
  { slug: 'external_id', type: 'text', title: 'External id', unique: true },
];

export const CHOICES: Readonly<Record<string, readonly string[]>> = {
  lead_source: ['Website', 'Referral', 'Event', 'Outbound'],
  interests: ['Analytics', 'Automation', 'Integrations', 'Reporting'],
  categories: ['B2B', 'B2C', 'E-commerce', 'SAAS', 'Technology'],
  estimated_arr_usd: ['$0-$1M', '$1M-$10M', '$10M-$50M'],
  employee_range: ['1-10', '11-50', '51-250', '251-1K'],
  strongest_connection_strength: ['Very weak', 'Weak', 'Good', 'Strong', 'Very strong'],
  tier: ['Gold', 'Silver', 'Bronze'],
};

export const DEAL_STAGES = ['Lead', 'In Progress', 'Won 🎉', 'Lost'] as const;

export interface ListSeed {
  readonly slug: string;
  readonly name: string;
  readonly parent: 'people' | 'companies';
  readonly stages: readonly [string, ...string[]];
  readonly attributes: readonly AttributeDraft[];
}

export const LISTS: readonly ListSeed[] = [
  {
    slug: 'recruiting',
    name: 'Recruiting',
    parent: 'people',
    stages: ['Applied', 'Screening', 'Interview', 'Offer', 'Hired'],
    attributes: [
      { slug: 'stage', type: 'status' },
      { slug: 'value', type: 'currency', currencyCode: 'USD', currencyDisplay: 'symbol' },
      { slug: 'tags', type: 'select', multi: true },
      { slug: 'start_date', type: 'date' },
    ],
  },
  {
    slug: 'partnerships',
    name: 'Partnerships',
    parent: 'companies',
    stages: ['Prospect', 'Qualified', 'Proposal', 'Signed'],
    attributes: [
      { slug: 'stage', type: 'status' },
      { slug: 'value', type: 'currency', currencyCode: 'EUR', currencyDisplay: 'code' },
      { slug: 'owner', type: 'actor-reference' },
    ],
  },
];

export const TAGS = ['Remote', 'Senior', 'Referred'] as const;
