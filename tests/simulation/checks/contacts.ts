import { isDeepStrictEqual } from 'node:util';
import type { Row } from '../../mocks/core/types.ts';
import type { Simulation } from '../simulation.ts';
import { removedHere } from './mirror.ts';

/** A person as Attio has it, in the words of the REST API. */
function shownAs({ witness }: Simulation, row: Row): Record<string, unknown> {
  const values = (slug: string) => witness.values('people', row, slug);
  const [name] = values('name');
  return {
    recordId: row.id,
    emails: values('email_addresses').map(({ data }) => data['email_address']),
    jobTitle: values('job_title')[0]?.data['value'] ?? null,
    firstName: name?.data['first_name'] || null,
    lastName: name?.data['last_name'] || null,
    phone: values('phone_numbers')[0]?.data['phone_number'] ?? null,
    description: values('description')[0]?.data['value'] ?? null,
    interests: values('interests').map(({ data }) => data['option']),
    companyRecordId: values('company')[0]?.data['target_record_id'] ?? null,
  };
}

/** Internal systems are shown each person as Attio has it; the ids of the dead lead where they should. */
export async function contactProblems(simulation: Simulation): Promise<string[]> {
  const removed = removedHere(simulation);
  const problems: string[] = [];
  for (const row of simulation.sandbox.world.object('people').table.inOrder()) {
    if (!removed.has(row.id)) problems.push(...(await livingProblems(simulation, row)));
  }
  for (const dead of simulation.history.merged.keys()) {
    problems.push(...(await deadProblems(simulation, dead, removed)));
  }
  return problems;
}

async function livingProblems(simulation: Simulation, row: Row): Promise<string[]> {
  const answer = await simulation.ask('GET', `/v1/contacts/${row.id}`);
  if (answer?.status !== 200) return [`contact ${row.id} is answered ${answer?.status}`];
  const { data } = JSON.parse(answer.body);
  const { description, interests } = data.attributes;
  const chosen = (interests ?? []).map(({ id }: { id: string | null }) => id);
  const contact = { ...data, description: description ?? null, interests: chosen };
  const problems = Object.entries(shownAs(simulation, row))
    .filter(([member, value]) => !isDeepStrictEqual(contact[member], value))
    .map(
      ([member, value]) =>
        `contact ${row.id}: ${member} is ${JSON.stringify(value)} in Attio, ${JSON.stringify(contact[member])} here`,
    );
  return contact.sync.status === 'pending'
    ? [...problems, `contact ${row.id} is pending for ever`]
    : problems;
}

async function deadProblems(
  simulation: Simulation,
  dead: string,
  removed: ReadonlySet<string>,
): Promise<string[]> {
  const { history, sandbox } = simulation;
  const survivor = history.survivorOf(dead);
  const isGone = sandbox.world.object('people').table.get(survivor) === undefined;
  if (isGone || removed.has(survivor) || removed.has(dead) || !isTold(simulation, dead)) return [];
  const answer = await simulation.ask('GET', `/v1/contacts/${dead}`);
  // Of one that has come and gone unseen nothing can be known.
  if (answer?.status === 404 && !isMirrored(simulation, dead)) return [];
  const found = answer?.status === 200 ? JSON.parse(answer.body).data.recordId : answer?.status;
  return found === survivor ? [] : [`merged ${dead} leads to ${found} instead of ${survivor}`];
}

/** Whether Attio's word has come of the merge, and of each that followed: without it, a merge may look like a deletion. */
function isTold(simulation: Simulation, dead: string): boolean {
  const into = simulation.history.merged.get(dead);
  if (into === undefined) return true;
  const isHeard = simulation.sandbox
    .deliveries()
    .some(({ event, state }) => event['duplicate_record_id'] === dead && state === 'delivered');
  return isHeard && isTold(simulation, into);
}

function isMirrored({ stored }: Simulation, recordId: string): boolean {
  return stored.all(`select 1 from record where record_id = '${recordId}'`).length > 0;
}
