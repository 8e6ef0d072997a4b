import type { Wanted } from '../history.ts';
import type { Simulation } from '../simulation.ts';
import type { Action, Dice } from './action.ts';

const INTERESTS = ['Analytics', 'Automation', 'Integrations', 'Reporting'] as const;
const DEAL_STAGES = ['Lead', 'In Progress', 'Won 🎉', 'Lost'] as const;
const STAGES = ['Applied', 'Screening', 'Interview', 'Offer', 'Hired'] as const;
const DOMAINS = ['one.example.com', 'two.example.com'] as const;
const DEALS = ['deal-1', 'deal-2', 'deal-3'] as const;

interface ContactBody {
  readonly body: Record<string, unknown>;
  /** What is asked for, by attribute. */
  readonly wanted: Wanted;
}

/** Which members a contact is written with. */
function contactBody(simulation: Simulation, dice: Dice, n: string): ContactBody {
  const email = simulation.email(dice);
  const body: Record<string, unknown> = { email };
  const attributes: Record<string, unknown> = {};
  const wanted: Record<string, string | null> = {};
  const clears = dice.chance(0.12);
  if (dice.chance(0.6)) {
    body['jobTitle'] = clears ? null : `w${n}`;
    wanted['job_title'] = clears ? null : `w${n}`;
  }
  if (dice.chance(0.3)) {
    attributes['description'] = `w${n}`;
    wanted['description'] = `w${n}`;
  }
  if (dice.chance(0.2)) {
    body['firstName'] = `w${n}f`;
    wanted['name.firstName'] = `w${n}f`;
  }
  if (dice.chance(0.2)) attributes['interests'] = [dice.of(INTERESTS)];
  if (dice.chance(0.1)) body['company'] = { domain: dice.of(DOMAINS) };
  if (Object.keys(wanted).length === 0) {
    body['lastName'] = `w${n}l`;
    wanted['name.lastName'] = `w${n}l`;
  }
  return { body: { ...body, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) }, wanted };
}

function ours(weight: number, run: (simulation: Simulation, dice: Dice) => void): Action {
  return { side: 'ours', weight, run };
}

/** What the company's own systems do over REST. */
export const OURS = {
  'put-contact': ours(9, (simulation, dice) => {
    const { body, wanted } = contactBody(simulation, dice, String(dice.n));
    const wait = dice.chance(0.3) ? '?wait=false' : '';
    simulation.write({ n: dice.n, kind: 'people', method: 'PUT', path: `/v1/contacts${wait}`, body, wanted });
  }),
  'put-contacts': ours(1.5, (simulation, dice) => {
    const contacts = [0, 1, 2].map((index) => contactBody(simulation, dice, `${dice.n}x${index}`));
    simulation.write({
      n: dice.n,
      kind: 'people',
      method: 'POST',
      path: '/v1/contacts/batch',
      body: { contacts: contacts.map(({ body }) => body) },
      wanted: Object.fromEntries(
        contacts.flatMap(({ wanted }, index) =>
          Object.entries(wanted).map(([field, value]) => [`${index}/${field}`, value]),
        ),
      ),
    });
  }),
  'delete-contact': ours(1, (simulation, dice) => {
    const id = simulation.contactId(dice);
    if (id === undefined) return;
    const attio = dice.chance(0.5) ? 'delete' : 'keep';
    simulation.write({
      n: dice.n,
      kind: 'people',
      method: 'DELETE',
      path: `/v1/contacts/${id}?attio=${attio}`,
      body: null,
      wanted: {},
    });
  }),
  'put-company': ours(1.5, (simulation, dice) => {
    const body = { domain: dice.of(DOMAINS), name: `w${dice.n}` };
    simulation.write({
      n: dice.n,
      kind: 'companies',
      method: 'PUT',
      path: '/v1/companies',
      body,
      wanted: { name: body.name },
    });
  }),
  'put-deal': ours(2, (simulation, dice) => {
    const body = {
      externalId: dice.of(DEALS),
      name: `w${dice.n}`,
      stage: dice.of(DEAL_STAGES),
      ...(dice.chance(0.4) ? { contactEmails: [simulation.email(dice)] } : {}),
    };
    simulation.write({
      n: dice.n,
      kind: 'deals',
      method: 'PUT',
      path: '/v1/deals',
      body,
      wanted: { name: body.name },
    });
  }),
  'post-entry': ours(2, (simulation, dice) => {
    const body = { email: simulation.email(dice), stage: dice.of(STAGES) };
    simulation.write({
      n: dice.n,
      kind: 'entries',
      method: 'POST',
      path: '/v1/pipelines/recruiting/entries',
      body,
      wanted: {},
    });
  }),
  'post-note': ours(2.5, (simulation, dice) => {
    const body = { email: simulation.email(dice), title: 'Note', content: `w${dice.n}` };
    simulation.write({
      n: dice.n,
      kind: 'notes',
      method: 'POST',
      path: '/v1/notes',
      body,
      wanted: { content: body.content },
    });
  }),
  'post-task': ours(2.5, (simulation, dice) => {
    const body = { content: `w${dice.n}`, linkedRecords: [{ email: simulation.email(dice) }] };
    simulation.write({
      n: dice.n,
      kind: 'tasks',
      method: 'POST',
      path: '/v1/tasks',
      body,
      wanted: { content: body.content },
    });
  }),
  'patch-task': ours(1, (simulation, dice) => {
    const id = simulation.taskId(dice);
    if (id === undefined) return;
    simulation.write({
      n: dice.n,
      kind: 'tasks',
      method: 'PATCH',
      path: `/v1/tasks/${id}`,
      body: { isCompleted: dice.chance(0.6) },
      wanted: {},
    });
  }),
} satisfies Record<string, Action>;
