import { describe, expect, test } from 'vitest';
import { settle } from '../../support/manual-clock.ts';
import { buildTier, member } from './fake-redis.ts';

async function started() {
  const built = buildTier();
  const things = member();
  const shared = built.tier.join(things);
  built.tier.start('ours');
  await built.clock.advance(0);
  things.forgotten.length = 0;
  return { ...built, things, shared };
}

describe('looking', () => {
  test('asks nothing before the start, and what Redis has once it is there', async () => {
    const { tier, redis, clock, reads } = buildTier();
    const shared = tier.join(member());
    expect(await shared.look('a', 'a')).toBeNull();
    expect(redis.calls).toEqual([]);
    tier.start('ours');
    await clock.advance(0);
    redis.answer = { names: 'n', found: { text: '{"x":1}', ttlMs: 500 } };
    expect((await shared.look('a', 'a'))?.found).toEqual({ value: { x: 1 }, ttlMs: 500 });
    redis.answer = { names: 'n', found: null };
    const look = await shared.look('a', 'a');
    look?.keep({ x: 2 }, 300);
    expect(redis.kept).toEqual([{ names: 'n', text: '{"x":2}', ttlMs: 300 }]);
    expect(reads).toEqual(['things HIT', 'things MISS']);
  });

  test('waits 40 ms and no longer; who was not answered does not ask again for a second', async () => {
    const { shared, redis, clock, reads } = await started();
    redis.delays.set('look', 'never');
    let ended = 0;
    const looks = Array.from({ length: 50 }, (_, n) =>
      shared.look(`${n}`, `${n}`).finally(() => (ended += 1)),
    );
    await clock.advance(39);
    expect(ended).toBe(0);
    await clock.advance(1);
    expect(await Promise.all(looks)).toEqual(Array.from({ length: 50 }, () => null));
    redis.delays.clear();
    await clock.advance(900);
    expect(await shared.look('a', 'a')).toBeNull();
    expect(redis.count('look')).toBe(50);
    await clock.advance(100);
    expect(await shared.look('a', 'a')).not.toBeNull();
    expect(new Set(reads)).toEqual(new Set(['things ERROR', 'things MISS']));
  });

  test('late answers are taken, and not waited for again at once: a request may look several times', async () => {
    const { shared, redis, clock } = await started();
    redis.delays.set('look', 30);
    const late = shared.look('a', 'a');
    await clock.advance(30);
    expect(await late).not.toBeNull();
    expect(await shared.look('b', 'b')).toBeNull();
    expect(redis.count('look')).toBe(1);
  });

  test('what is not JSON is as good as nothing', async () => {
    const { shared, redis } = await started();
    redis.answer = { names: 'n', found: { text: '{', ttlMs: 500 } };
    expect(await shared.look('a', 'a')).toBeNull();
  });

  test('a value that is too large is not kept', async () => {
    const { shared, redis } = await started();
    const look = await shared.look('a', 'a');
    look?.keep('x'.repeat(600 * 1024), 1_000);
    expect(redis.kept).toEqual([]);
  });
});

describe('forgetting', () => {
  test('tells the others, who forget; the one who told does not', async () => {
    const { tier, shared, redis, things } = await started();
    for (const subject of ['a', 'b']) shared.forget(subject, [subject]);
    await settle();
    const [message = '', ...more] = redis.messages;
    expect(more).toEqual([]);
    tier.heard(message);
    expect(things.forgotten).toEqual([]);
    tier.heard(message.replace('"me"', '"you"'));
    expect(things.forgotten).toEqual(['a', 'b']);
    tier.heard('{"from":"you","forget":"all"}');
    expect(things.forgotten).toEqual(['a', 'b', '*']);
  });

  test('takes what is no message of ours for nothing', async () => {
    const { tier, things } = await started();
    const strange = ['', '{', 'null', '[]', '{"from":1,"forget":"all"}', '{"from":"you","forget":{}}'];
    for (const text of [...strange, '{"from":"you","forget":[["others","a"],["things",1],"things"]}'])
      tier.heard(text);
    expect(things.forgotten).toEqual([]);
  });

  test('is said before what follows is looked up', async () => {
    const { shared, redis } = await started();
    redis.calls.length = 0;
    shared.forget('a', ['a']);
    await shared.look('a', 'a');
    expect(redis.calls).toEqual(['forget', 'look']);
  });

  test('what could not be said is a debt: no value is looked up until all are forgotten', async () => {
    const { shared, redis, clock } = await started();
    redis.delays.set('forget', 'never');
    shared.forget('a', ['a']);
    await clock.advance(300);
    expect(await shared.look('b', 'b')).toBeNull();
    await clock.advance(200);
    expect(redis.count('forgetAll')).toBe(1);
    expect(await shared.look('b', 'b')).not.toBeNull();
  });

  test('a debt that grows while it is paid is paid again', async () => {
    const { shared, redis, clock } = await started();
    redis.failing.add('forget');
    redis.delays.set('forgetAll', 500);
    shared.forget('a', ['a']);
    await clock.advance(200);
    expect(redis.count('forgetAll')).toBe(1);
    shared.forget('b', ['b']);
    await clock.advance(500);
    expect(await shared.look('c', 'c')).toBeNull();
    await clock.advance(200 + 500);
    expect(redis.count('forgetAll')).toBe(2);
    expect(await shared.look('c', 'c')).not.toBeNull();
  });

  test('while Redis is away it is a debt that is paid when it is back', async () => {
    const { tier, shared, redis, clock } = await started();
    redis.failing.add('listen');
    tier.lost({ values: false, reason: new Error('closed') });
    shared.forget('a', ['a']);
    expect(redis.count('forget')).toBe(0);
    redis.failing.clear();
    await clock.advance(200);
    expect(redis.calls.filter((call) => call === 'forgetAll')).toHaveLength(1);
  });

  test('an instance that has vanished may have owed something: who comes next pays', async () => {
    const { tier, redis, clock } = buildTier();
    redis.gone = 1;
    tier.start('ours');
    await clock.advance(0);
    expect(redis.calls).toEqual(['listen', 'arrive', 'forgetAll', 'ping']);
  });

  test('who comes while all is well leaves what is kept as it is', async () => {
    const { redis } = await started();
    expect(redis.calls).toEqual(['listen', 'arrive', 'ping']);
  });
});

describe('up and down', () => {
  test('a ping that is not answered empties memory, once; and again when all is well', async () => {
    const { tier, redis, clock, told, things } = await started();
    redis.delayMs = 'never';
    await clock.advance(500);
    expect(tier.health.status).toBe('down');
    expect(things.forgotten).toEqual(['*']);
    await clock.advance(10_000);
    redis.delayMs = 0;
    await clock.advance(1_500);
    expect(told).toEqual(['up', 'down TimeoutError', 'up']);
    expect(things.forgotten).toEqual(['*', '*']);
    expect(tier.health.status).toBe('ok');
  });

  test('a connection that was lost and is back before the next beat has missed something all the same', async () => {
    const { tier, redis, clock, told, things } = await started();
    tier.lost({ values: false, reason: Object.assign(new Error('x'), { code: 'ECONNRESET' }) });
    expect(things.forgotten).toEqual(['*']);
    tier.wake();
    await clock.advance(0);
    expect(told).toEqual(['up', 'down ECONNRESET', 'up']);
    expect(things.forgotten).toEqual(['*', '*']);
    expect(redis.count('forgetAll')).toBe(0);
  });

  test('a Redis that may have restarted with old values is made to forget them first', async () => {
    const { tier, redis, clock } = await started();
    redis.calls.length = 0;
    tier.lost({ values: true, reason: new Error('closed') });
    await clock.advance(200);
    expect(redis.calls).toEqual(['listen', 'arrive', 'forgetAll', 'ping']);
    // The others have seen it go, too.
    expect(redis.messages).toEqual(['values']);
  });

  test('a loss while it comes up keeps it down', async () => {
    const { tier, redis, clock, told } = buildTier();
    redis.delays.set('arrive', 50);
    tier.start('ours');
    await clock.advance(20);
    tier.lost({ values: true, reason: new Error('closed') });
    await clock.advance(100);
    expect(told).toEqual(['down closed']);
    await clock.advance(500);
    expect(told).toEqual(['down closed', 'up']);
  });

  test('an absence is told once, with a word and no address', async () => {
    const { tier, redis, clock, told } = buildTier();
    redis.failing.add('listen');
    tier.start('ours');
    const reason = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
    for (let time = 0; time < 20; time += 1) {
      tier.lost({ values: true, reason });
      await clock.advance(300);
    }
    expect(told).toEqual(['down ECONNREFUSED']);
    expect(tier.health).toEqual({ status: 'down', latencyMs: null });
  });

  test('answers that are always late are no use: down for health, and not asked for values', async () => {
    const { tier, shared, redis, clock } = await started();
    redis.delays.set('ping', 60);
    await clock.advance(260 * 4);
    expect(tier.health).toEqual({ status: 'down', latencyMs: 60 });
    expect(await shared.look('a', 'a')).toBeNull();
    expect(redis.count('look')).toBe(0);
    redis.delays.clear();
    await clock.advance(400);
    expect(tier.health.status).toBe('ok');
  });
});

describe('believing', () => {
  test('whatever its age while we hear; a short time while we do not', async () => {
    const { tier, shared, redis, clock } = await started();
    const readAt = clock.now();
    await clock.advance(60_000);
    expect([shared.believes(readAt), shared.mayJoin(readAt)]).toEqual([true, true]);
    redis.failing.add('listen');
    tier.lost({ values: false, reason: new Error('closed') });
    expect([shared.believes(readAt), shared.mayJoin(readAt)]).toEqual([false, false]);
    const now = clock.now();
    await clock.advance(899);
    expect([shared.believes(now), shared.mayJoin(now)]).toEqual([true, true]);
    await clock.advance(1);
    expect([shared.believes(now), shared.mayJoin(now)]).toEqual([false, false]);
  });

  test('not what may have changed while this process was held up', async () => {
    const { clock, redis, shared } = await started();
    const readAt = clock.now();
    // As if nothing had run: time has gone on, no ping was answered.
    redis.delays.set('ping', 'never');
    await clock.advance(899);
    const { now } = clock;
    clock.now = () => now.call(clock) + 1;
    expect(shared.believes(readAt)).toBe(false);
  });
});

describe('closing', () => {
  test('takes leave, unless something is owed', async () => {
    const { tier, redis } = await started();
    await tier.close();
    expect([redis.count('leave'), redis.isOpen]).toEqual([1, false]);
    const other = await started();
    other.redis.failing.add('forget');
    other.shared.forget('a', ['a']);
    await other.clock.advance(0);
    await other.tier.close();
    expect([other.redis.count('leave'), other.redis.isOpen]).toEqual([0, false]);
  });

  test('waits for a Redis that says nothing no longer than a tenth of a second', async () => {
    const { tier, redis, clock } = await started();
    redis.delays.set('leave', 'never');
    let closed = false;
    const closing = tier.close().then(() => (closed = true));
    await clock.advance(99);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(redis.isOpen).toBe(false);
  });

  test('ends what has never begun', async () => {
    const { tier } = buildTier();
    await tier.close();
  });
});
