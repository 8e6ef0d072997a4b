import type { Row } from '../../mocks/core/types.ts';
import type { Sent } from '../history.ts';
import type { Simulation } from '../simulation.ts';
import type { Action, Dice } from './action.ts';

const TEXTS = ['job_title', 'description', 'internal_comment'] as const;
const INTERESTS = ['Analytics', 'Automation', 'Integrations', 'Reporting'] as const;
const DEAL_STAGES = ['Lead', 'In Progress', 'Won 🎉', 'Lost'] as const;
const STAGES = ['Applied', 'Screening', 'Interview', 'Offer', 'Hired'] as const;

/** How often somebody looks how far the first full sync has come. */
const LOOK_MS = 3;

function isPageOfPeople({ path, body }: Sent): boolean {
  return path.endsWith('/objects/people/records/query') && body.includes('"offset"');
}

function rows({ sandbox }: Simulation, object: string): Row[] {
  return [...sandbox.world.object(object).table.inOrder()];
}

function entries({ sandbox }: Simulation): Row[] {
  return [...sandbox.world.list('recruiting').table.inOrder()];
}

function person(action: (simulation: Simulation, row: Row, dice: Dice) => void, weight: number): Action {
  return {
    side: 'people',
    weight,
    run(simulation, dice) {
      const row = dice.pick(rows(simulation, 'people'));
      if (row !== undefined) action(simulation, row, dice);
    },
  };
}

function people(weight: number, run: (simulation: Simulation, dice: Dice) => void): Action {
  return { side: 'people', weight, run };
}

/** What people do at Attio's screens. */
export const PEOPLE = {
  'edit-person': person((simulation, row, dice) => {
    const slug = dice.of(TEXTS);
    simulation.person(`sets ${slug} to p${dice.n}`, () =>
      simulation.sandbox.edit({ object: 'people', recordId: row.id, values: { [slug]: [`p${dice.n}`] } }),
    );
  }, 8),
  'clear-person': person((simulation, row, dice) => {
    const slug = dice.of(TEXTS);
    simulation.person(`clears ${slug}`, () =>
      simulation.sandbox.edit({ object: 'people', recordId: row.id, values: { [slug]: [] } }),
    );
  }, 2),
  'rename-person': person((simulation, row, dice) => {
    const name = {
      first_name: `p${dice.n}f`,
      last_name: `p${dice.n}l`,
      full_name: `p${dice.n}f p${dice.n}l`,
    };
    simulation.person(`renames a person`, () =>
      simulation.sandbox.edit({ object: 'people', recordId: row.id, values: { name: [name] } }),
    );
  }, 2),
  'edit-interests': person((simulation, row, dice) => {
    const chosen = INTERESTS.filter(() => dice.chance(0.4));
    simulation.person(`sets interests to ${chosen.join(', ')}`, () =>
      simulation.sandbox.edit({ object: 'people', recordId: row.id, values: { interests: chosen } }),
    );
  }, 3),
  'create-person': people(2, (simulation, dice) => {
    const email = simulation.email(dice);
    simulation.person(`makes ${email}`, () =>
      simulation.sandbox.createRecord({
        object: 'people',
        values: { email_addresses: [email], job_title: `p${dice.n}` },
      }),
    );
  }),
  'delete-person': person((simulation, row) => {
    simulation.person(`deletes a person`, () =>
      simulation.sandbox.deleteRecord({ object: 'people', recordId: row.id }),
    );
  }, 1.5),
  /** Only where a plan says so: it is of the first full sync. */
  'leave-while-paging': people(0, (simulation, dice) => {
    const page = 1 + dice.below(4);
    const count = 2 + dice.below(2);
    const look = () => {
      if (simulation.history.sent.filter(isPageOfPeople).length < page)
        return simulation.later(LOOK_MS, look);
      simulation.person(`deletes the first ${count} people`, () => {
        for (const { id } of rows(simulation, 'people').slice(0, count))
          simulation.sandbox.deleteRecord({ object: 'people', recordId: id });
      });
    };
    look();
  }),
  'merge-people': person((simulation, row, dice) => {
    const other = dice.pick(rows(simulation, 'people').filter(({ id }) => id !== row.id));
    if (other === undefined) return;
    simulation.person(`merges two people`, () => {
      const merge = { object: 'people', primaryRecordId: row.id, secondaryRecordId: other.id };
      const { record_id: survivor } = simulation.sandbox.merge(merge)['id'] as { record_id: string };
      for (const { id } of [row, other]) simulation.history.merged.set(id, survivor);
    });
  }, 1.5),
  'edit-company': people(2, (simulation, dice) => {
    const row = dice.pick(rows(simulation, 'companies'));
    if (row === undefined) return;
    simulation.person(`sets a company's description to p${dice.n}`, () =>
      simulation.sandbox.edit({
        object: 'companies',
        recordId: row.id,
        values: { description: [`p${dice.n}`] },
      }),
    );
  }),
  'edit-deal': people(2, (simulation, dice) => {
    const row = dice.pick(rows(simulation, 'deals'));
    if (row === undefined) return;
    const values = dice.chance(0.5) ? { stage: [dice.of(DEAL_STAGES)] } : { name: [`p${dice.n}`] };
    simulation.person(`changes a deal: ${JSON.stringify(values)}`, () =>
      simulation.sandbox.edit({ object: 'deals', recordId: row.id, values }),
    );
  }),
  'add-entry': person((simulation, row, dice) => {
    const stage = dice.of(STAGES);
    simulation.person(`adds a person to the list at ${stage}`, () =>
      simulation.sandbox.act({
        method: 'PUT',
        path: '/lists/recruiting/entries',
        body: {
          data: { parent_object: 'people', parent_record_id: row.id, entry_values: { stage: [stage] } },
        },
      }),
    );
  }, 1.5),
  'move-entry': people(2, (simulation, dice) => {
    const entry = dice.pick(entries(simulation));
    if (entry === undefined) return;
    const stage = dice.of(STAGES);
    simulation.person(`moves an entry to ${stage}`, () =>
      simulation.sandbox.act({
        method: 'PATCH',
        path: `/lists/recruiting/entries/${entry.id}`,
        body: { data: { entry_values: { stage: [stage] } } },
      }),
    );
  }),
  'delete-entry': people(1, (simulation, dice) => {
    const entry = dice.pick(entries(simulation));
    if (entry === undefined) return;
    simulation.person(`takes an entry off the list`, () =>
      simulation.sandbox.act({ method: 'DELETE', path: `/lists/recruiting/entries/${entry.id}` }),
    );
  }),
  'add-note': person((simulation, row, dice) => {
    simulation.person(`writes note p${dice.n}`, () =>
      simulation.sandbox.act({
        method: 'POST',
        path: '/notes',
        body: {
          data: {
            parent_object: 'people',
            parent_record_id: row.id,
            title: 'Note',
            format: 'plaintext',
            content: `p${dice.n}`,
          },
        },
      }),
    );
  }, 1),
  'delete-note': people(1, (simulation, dice) => {
    const id = dice.pick([...simulation.sandbox.world.notes.keys()]);
    if (id === undefined) return;
    simulation.person(`deletes a note`, () =>
      simulation.sandbox.act({ method: 'DELETE', path: `/notes/${id}` }),
    );
  }),
  'complete-task': people(1.5, (simulation, dice) => {
    const id = dice.pick([...simulation.sandbox.world.tasks.keys()]);
    if (id === undefined) return;
    const isCompleted = dice.chance(0.7);
    simulation.person(`${isCompleted ? 'completes' : 'reopens'} a task`, () =>
      simulation.sandbox.act({
        method: 'PATCH',
        path: `/tasks/${id}`,
        body: { data: { is_completed: isCompleted } },
      }),
    );
  }),
  'delete-task': people(0.7, (simulation, dice) => {
    const id = dice.pick([...simulation.sandbox.world.tasks.keys()]);
    if (id === undefined) return;
    simulation.person(`deletes a task`, () =>
      simulation.sandbox.act({ method: 'DELETE', path: `/tasks/${id}` }),
    );
  }),
  'add-attribute': people(0.4, (simulation, dice) => {
    simulation.history.schemaChanges += 1;
    simulation.person(`adds an attribute`, () =>
      simulation.sandbox.act({
        method: 'POST',
        path: '/objects/people/attributes',
        body: {
          data: {
            title: `Extra ${dice.n}`,
            api_slug: `extra_${dice.n}`,
            type: 'text',
            description: null,
            is_required: false,
            is_unique: false,
            is_multiselect: false,
            config: {},
          },
        },
      }),
    );
  }),
  'archive-option': people(0.4, (simulation, dice) => {
    const attribute = simulation.sandbox.world.object('people').table.schema.find('interests');
    const option = dice.pick((attribute?.choices ?? []).filter(({ archived }) => !archived));
    if (option === undefined) return;
    simulation.history.schemaChanges += 1;
    simulation.person(`archives the option ${option.title}`, () =>
      simulation.sandbox.act({
        method: 'PATCH',
        path: `/objects/people/attributes/interests/options/${option.id}`,
        body: { data: { is_archived: true } },
      }),
    );
  }),
} satisfies Record<string, Action>;
