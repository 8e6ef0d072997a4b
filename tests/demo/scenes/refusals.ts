import { firstOf } from './cast.ts';
import type { Play } from './telling.ts';

/** What cannot be written is said at once, and leaves no trace. */
export async function refusals(play: Play): Promise<void> {
  const { workspace, stage, checks, screen } = play;
  const [person] = firstOf(workspace.people().slice(700), 1);
  const before = await stage.api.contact(person.id);

  screen.say('A system says who has referred a person, by an address that Attio does not know:');
  const unknown = await stage.api.refusedContact({
    email: person.email,
    jobTitle: 'Never to be seen',
    attributes: { referred_by: 'pigeon@carrier.example' },
  });
  screen.fact('reply', `${unknown.status}, ${unknown.attio?.code}: ${unknown.attio?.message}`);
  checks.equal('what Attio refuses is 422', unknown.status, 422);
  checks.equal("with Attio's own code", unknown.attio?.code, 'value_not_found');
  const after = await stage.api.contact(person.id);
  checks.equal('nothing of it stays in the local database', after?.jobTitle, before?.jobTitle ?? '');
  checks.equal('nothing of it is in Attio', workspace.card(person.id).jobTitle, before?.jobTitle ?? '');

  screen.say('A system misspells a choice:');
  const misspelt = await stage.api.refusedContact({
    email: person.email,
    attributes: { lead_source: 'Referal' },
  });
  screen.fact('reply', `${misspelt.status}, ${misspelt.errors[0]?.path} ${misspelt.errors[0]?.message}`);
  checks.equal('an unknown choice is 422', misspelt.status, 422);
  const nearest = /Did you mean "(.*?)"/.exec(misspelt.errors[0]?.message ?? '')?.[1];
  checks.equal('with the nearest one', nearest ?? null, 'Referral');

  const requestsBefore = stage.requests;
  screen.say('Another one writes an attribute that the workspace does not have:');
  const bad = await stage.api.refusedContact({ email: person.email, attributes: { shoe_size: 43 } });
  const [fault] = bad.errors;
  screen.fact('reply', `${bad.status}, ${fault?.path} ${fault?.message}`);
  checks.equal('what is wrong in itself is 400', bad.status, 400);
  checks.equal('naming the member', fault?.path, '/attributes/shoe_size');
  checks.equal('Attio is not asked', stage.requests - requestsBefore, 0);
}
