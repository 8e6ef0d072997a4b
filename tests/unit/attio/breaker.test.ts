import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker, CircuitOpenError, type CircuitState } from '../../../src/attio/breaker.ts';
import { freezeTime, outcome, START } from './support.ts';

type Said = 'alive' | 'failure' | 'neither';

class Failure extends Error {
  readonly said: Said;

  constructor(said: Said) {
    super(said);
    this.said = said;
  }
}

let changes: CircuitState[];
let breaker: CircuitBreaker;

beforeEach(() => {
  freezeTime();
  changes = [];
  breaker = new CircuitBreaker({
    failures: 3,
    halfOpenAfterMs: 5000,
    maxHalfOpenAfterMs: 15_000,
    now: () => Date.now(),
    classify: (error) => (error instanceof Failure ? error.said : 'neither'),
    onChange: (state) => changes.push(state),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const succeed = () => breaker.run((pass) => pass.observe(async () => 'fine'));
const fail = (said: Said = 'failure') =>
  outcome(breaker.run((pass) => pass.observe(() => Promise.reject(new Failure(said)))));

async function failTimes(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await fail();
}

/** A work that ends when the test says so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { ran: outcome(breaker.run((pass) => pass.observe(() => promise))), resolve, reject };
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe('closed', () => {
  it('lets all pass', async () => {
    expect(await succeed()).toBe('fine');
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['closed', 0]);
  });

  it('opens after so many failures in a row', async () => {
    await failTimes(2);
    expect(breaker.state).toBe('closed');
    await failTimes(1);
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['open', 5000]);
    expect(changes).toEqual(['open']);
  });

  it.each<Said>(['alive'])('begins to count anew after a sign of life, be it a refusal: %s', async (said) => {
    await failTimes(2);
    await fail(said);
    await failTimes(2);
    await succeed();
    await failTimes(2);
    expect(breaker.state).toBe('closed');
  });

  it('takes what was cancelled for neither: it does not break a row of failures', async () => {
    await failTimes(2);
    for (let i = 0; i < 10; i += 1) await fail('neither');
    expect(breaker.state).toBe('closed');
    await failTimes(1);
    expect(breaker.state).toBe('open');
  });

  it('opens when failures under way at the same time end', async () => {
    const works = [pending(), pending(), pending(), pending()];
    for (const work of works) work.reject(new Failure('failure'));
    await Promise.all(works.map((work) => work.ran));
    expect(changes).toEqual(['open']);
  });
});

describe('open', () => {
  beforeEach(() => failTimes(3));

  it('fails fast and says when to come again', async () => {
    await pass(1500);
    const work = vi.fn(async () => 1);
    const { error } = await outcome(breaker.run(work));
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ retryAfterMs: 3500 });
    expect(work).not.toHaveBeenCalled();
  });

  it('lets the first one through after five seconds, and closes when that goes well', async () => {
    await pass(5000);
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['open', 0]);
    expect(await succeed()).toBe('fine');
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('stays open longer after each failed probe, to at most fifteen seconds', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      waits.push(breaker.untilAllowedMs);
      await pass(breaker.untilAllowedMs);
      await fail();
      expect(breaker.state).toBe('open');
    }
    expect(waits).toEqual([5000, 10_000, 15_000, 15_000, 15_000]);
    await pass(15_000);
    await succeed();
    await failTimes(3);
    expect(breaker.untilAllowedMs).toBe(5000);
  });

  it('does not stay shut because the clock was set back', async () => {
    vi.setSystemTime(START - 3_600_000);
    expect(breaker.untilAllowedMs).toBe(0);
    expect(await succeed()).toBe('fine');
    expect(breaker.state).toBe('closed');
  });

  it('calls off what had passed and has not been sent yet', async () => {
    await pass(5000);
    await succeed();
    let called: unknown;
    const waiting = outcome(
      breaker.run(({ opened }) => {
        const { promise, reject } = Promise.withResolvers<never>();
        opened.addEventListener('abort', () => {
          called = opened.reason;
          reject(opened.reason);
        });
        return promise;
      }),
    );
    await failTimes(3);
    await waiting;
    expect(called).toBeInstanceOf(CircuitOpenError);
    expect(called).toMatchObject({ retryAfterMs: 5000 });
  });
});

describe('half-open', () => {
  beforeEach(async () => {
    await failTimes(3);
    await pass(5000);
  });

  it('lets exactly one probe through; the others fail fast', async () => {
    const probe = pending();
    const others = await Promise.all([outcome(succeed()), outcome(succeed())]);
    expect(others.map(({ error }) => error)).toEqual([
      expect.any(CircuitOpenError),
      expect.any(CircuitOpenError),
    ]);
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['half-open', 1000]);
    probe.resolve('fine');
    expect(await probe.ran).toEqual({ value: 'fine' });
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['closed', 0]);
  });

  it('closes when the probe is refused: that is an answer', async () => {
    await fail('alive');
    expect(breaker.state).toBe('closed');
  });

  it('opens again when the probe fails', async () => {
    await fail();
    expect(changes).toEqual(['open', 'half-open', 'open']);
  });

  it('lets the next one probe when the probe is called off', async () => {
    await fail('neither');
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['half-open', 0]);
    const probe = pending();
    expect((await outcome(succeed())).error).toBeInstanceOf(CircuitOpenError);
    probe.resolve('fine');
    await probe.ran;
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });
});

describe('late answers from before the circuit opened', () => {
  it('neither close nor open it', async () => {
    const early = Array.from({ length: 4 }, () => pending());
    await failTimes(3);
    early[0]?.resolve('late');
    await early[0]?.ran;
    expect(breaker.state).toBe('open');
    await pass(5000);
    const probe = pending();
    early[1]?.reject(new Failure('failure'));
    await early[1]?.ran;
    expect(breaker.state).toBe('half-open');
    probe.resolve('fine');
    await probe.ran;
    early[2]?.reject(new Failure('failure'));
    early[3]?.reject(new Failure('failure'));
    await Promise.all(early.map((work) => work.ran));
    await failTimes(1);
    expect(breaker.state).toBe('closed');
  });
});

describe('work that sends nothing', () => {
  it('counts for nothing, whatever it throws', async () => {
    for (let i = 0; i < 5; i += 1) await outcome(breaker.run(() => Promise.reject(new Failure('failure'))));
    expect(breaker.state).toBe('closed');
    await failTimes(3);
    await pass(5000);
    await outcome(breaker.run(() => Promise.reject(new Failure('failure'))));
    expect([breaker.state, breaker.untilAllowedMs]).toEqual(['half-open', 0]);
  });
});

type Step = { kind: 'start' } | { kind: 'end'; said: Said | 'fine' } | { kind: 'pass'; ms: number };

describe('whatever comes', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constant({ kind: 'start' } as const),
    fc.record({
      kind: fc.constant('end' as const),
      said: fc.constantFrom<Said | 'fine'>('fine', 'alive', 'failure', 'neither'),
    }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(6000) }),
  );

  it('it never has two probes, and never stays shut for good', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const works = new Works();
      for (const one of steps) {
        await works.take(one);
        expect(works.probes).toBeLessThanOrEqual(1);
      }
      works.endAll();
      await pass(15_000);
      expect(await works.tryOne()).toEqual({ value: 'fine' });
      expect(works.breaker.state).toBe('closed');
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

/** Works on one breaker, ended in the order of their starts. */
class Works {
  readonly breaker = new CircuitBreaker({
    failures: 2,
    halfOpenAfterMs: 5000,
    maxHalfOpenAfterMs: 15_000,
    now: () => Date.now(),
    classify: (error) => (error instanceof Failure ? error.said : 'neither'),
    onChange: () => {},
  });
  probes = 0;
  readonly #running: ((said: Said | 'fine') => void)[] = [];

  async take(step: Step): Promise<void> {
    if (step.kind === 'start') void outcome(this.breaker.run((each) => each.observe(() => this.#work())));
    if (step.kind === 'end') this.#running.shift()?.(step.said);
    await pass(step.kind === 'pass' ? step.ms : 0);
  }

  tryOne(): Promise<{ value?: string }> {
    return outcome(this.breaker.run((each) => each.observe(async () => 'fine')));
  }

  endAll(): void {
    for (const end of this.#running.splice(0)) end('neither');
  }

  #work(): Promise<void> {
    const isProbe = this.breaker.state === 'half-open';
    this.probes += isProbe ? 1 : 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#running.push((said) => {
      this.probes -= isProbe ? 1 : 0;
      if (said === 'fine') resolve();
      else reject(new Failure(said));
    });
    return promise;
  }
}
