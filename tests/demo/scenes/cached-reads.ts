import { duration } from '../screen.ts';
import { firstOf } from './cast.ts';
import { type Play, tell } from './telling.ts';

/** Attio's own record through the cache, which a webhook empties. */
export async function cachedReads(play: Play): Promise<void> {
  const { workspace, checks, stage, screen } = play;
  const [person] = firstOf(workspace.people().slice(200), 1);
  const read = async (expected: 'MISS' | 'HIT') => {
    const requestsBefore = stage.requests;
    const startedAt = performance.now();
    const { values, cache } = await stage.api.record('people', person.id);
    const tookMs = performance.now() - startedAt;
    const asked = stage.requests === requestsBefore ? 'Attio is not asked' : 'asked from Attio';
    screen.fact('x-cache', `${cache}, ${asked}, ${duration(tookMs)}`);
    checks.equal(`x-cache is ${expected}`, cache, expected);
    const expectedRequests = expected === 'HIT' ? 0 : 1;
    const claim = `a ${expected} costs Attio ${expected === 'HIT' ? 'no request' : 'one request'}`;
    checks.equal(claim, stage.requests - requestsBefore, expectedRequests);
    return String(values['job_title']?.[0]?.['value']);
  };
  screen.say(`GET /v1/records/people/${person.id}, twice:`);
  await read('MISS');
  await read('HIT');
  await tell(play, () => workspace.setJobTitle(person, 'Keeper of Caches'));
  screen.say('The webhook has emptied the cache for this record:');
  checks.equal('the value read is the new one', await read('MISS'), 'Keeper of Caches');
}
