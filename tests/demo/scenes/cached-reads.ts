import { duration } from '../screen.ts';
import { firstOf } from './cast.ts';
import { type Play, tell } from './telling.ts';

const ROUTE = 'GET /objects/{object}/records/{record_id}';

/** Attio's own record through the cache, which a webhook empties. */
export async function cachedReads(play: Play): Promise<void> {
  const { workspace, checks, stage, screen } = play;
  const [person] = firstOf(workspace.people().slice(200), 1);
  const asked = () => stage.sandbox.sandbox.requests().counts[ROUTE] ?? 0;
  const read = async (expected: 'MISS' | 'HIT') => {
    const askedBefore = asked();
    const startedAt = performance.now();
    const { values, cache } = await stage.api.record('people', person.id);
    const tookMs = performance.now() - startedAt;
    const times = asked() - askedBefore;
    screen.fact(
      'x-cache',
      `${cache}, ${times === 0 ? 'Attio is not asked' : 'asked from Attio'}, ${duration(tookMs)}`,
    );
    checks.equal(`x-cache is ${expected}`, cache, expected);
    const [claim, wanted] =
      expected === 'HIT' ? ['a HIT costs Attio no request', 0] : ['a MISS costs Attio one request', 1];
    checks.equal(claim, times, wanted);
    return String(values['job_title']?.[0]?.['value']);
  };
  screen.say(`GET /v1/records/people/${person.id}, twice:`);
  await read('MISS');
  await read('HIT');
  await tell(play, () => workspace.setJobTitle(person, 'Keeper of Caches'));
  screen.say('The webhook has emptied the cache for this record:');
  checks.equal('the value read is the new one', await read('MISS'), 'Keeper of Caches');
}
