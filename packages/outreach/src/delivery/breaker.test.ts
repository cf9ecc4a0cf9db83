import { createFakeClock } from '@hushryd/platform/testing/clock';
import fc from 'fast-check';
import t from 'tap';
import { type Breaker, createBreaker, type Permit } from './breaker.ts';

const settings = { failures: 10, resetMs: 120_000 };
type Outcome = 'success' | 'failure' | 'neither';

/** What a breaker is, said again in the plainest way: a list of what happened, read from its beginning each time. */
interface Model {
  nowMs: number;
  state: 'closed' | 'open';
  openedAtMs: number;
  failedInARow: number;
  era: number;
  probe: number | undefined;
  calls: Map<number, { era: number; permit: Permit }>;
}
interface Real {
  breaker: Breaker;
  advance(ms: number): void;
}

const isHalfOpen = (model: Model) => model.state === 'open' && model.nowMs - model.openedAtMs >= settings.resetMs;

function assertSame(model: Model, { breaker }: Real): void {
  const expected = isHalfOpen(model) ? 'half-open' : model.state;
  if (breaker.state !== expected) throw new Error(`is ${breaker.state}, expected ${expected}`);
  const mayCall = model.state === 'closed' || (isHalfOpen(model) && model.probe === undefined);
  if ((breaker.retryAtMs === undefined) !== mayCall) throw new Error(`retry at ${breaker.retryAtMs}`);
}

class Enter implements fc.Command<Model, Real> {
  readonly isForced: boolean;
  constructor(isForced: boolean) {
    this.isForced = isForced;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    const becomesProbe = isHalfOpen(model) && model.probe === undefined;
    const expected = model.state === 'closed' || becomesProbe || this.isForced;
    const permit = real.breaker.enter({ isForced: this.isForced });
    if ((permit !== undefined) !== expected) throw new Error(`a call was ${permit ? 'let through' : 'refused'}`);
    if (permit === undefined) return;
    const id = model.calls.size;
    model.calls.set(id, { era: model.era, permit });
    if (becomesProbe) model.probe = id;
    assertSame(model, real);
  }
  toString = () => `enter(${this.isForced ? 'forced' : ''})`;
}

class End implements fc.Command<Model, Real> {
  readonly pick: number;
  readonly outcome: Outcome;
  constructor(pick: number, outcome: Outcome) {
    this.pick = pick;
    this.outcome = outcome;
  }
  check = (model: Readonly<Model>) => model.calls.size > 0;
  run(model: Model, real: Real): void {
    const ids = [...model.calls.keys()];
    const id = ids[this.pick % ids.length] ?? 0;
    const call = model.calls.get(id);
    // A call may end again and again; once counts.
    call?.permit.end(this.outcome);
    if (call !== undefined && call.era === model.era) this.apply(model, id);
    if (call !== undefined) model.calls.set(id, { ...call, era: -1 });
    assertSame(model, real);
  }
  private apply(model: Model, id: number): void {
    const isProbe = model.probe === id;
    if (isProbe) model.probe = undefined;
    if (this.outcome === 'neither') return;
    const becomes = (state: Model['state']) => {
      Object.assign(model, { state, openedAtMs: model.nowMs, failedInARow: 0, era: model.era + 1, probe: undefined });
    };
    if (model.state === 'open') {
      if (this.outcome === 'success') becomes('closed');
      else if (isProbe) becomes('open');
      return;
    }
    model.failedInARow = this.outcome === 'failure' ? model.failedInARow + 1 : 0;
    if (model.failedInARow === settings.failures) becomes('open');
  }
  toString = () => `end(${this.pick}, ${this.outcome})`;
}

class Wait implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    model.nowMs += this.ms;
    real.advance(this.ms);
    assertSame(model, real);
  }
  toString = () => `wait(${this.ms})`;
}

/** A call that fails or not, with nothing in between: ten of them in a row are common enough to open it. */
class Call implements fc.Command<Model, Real> {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    this.outcome = outcome;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    const before = model.calls.size;
    new Enter(false).run(model, real);
    if (model.calls.size > before) new End(before, this.outcome).run(model, real);
  }
  toString = () => `call(${this.outcome})`;
}

t.test('a breaker does what its model says, over 10,000 traces', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  const outcome = fc.constantFrom<Outcome>('success', 'failure', 'neither');
  const commands = fc.commands(
    [
      fc.constant(new Call('failure')),
      fc.constant(new Call('failure')),
      fc.constant(new Call('failure')),
      outcome.map((of) => new Call(of)),
      fc.boolean().map((isForced) => new Enter(isForced)),
      fc.tuple(fc.nat(40), outcome).map(([pick, of]) => new End(pick, of)),
      fc.constantFrom(1, 60_000, 119_999, 120_000).map((ms) => new Wait(ms)),
    ],
    { maxCommands: 60 },
  );
  fc.assert(
    fc.property(commands, (trace) => {
      fc.modelRun(() => {
        const clock = createFakeClock();
        const breaker = createBreaker({ ...settings, now: clock.now });
        const model: Model = {
          nowMs: clock.now(),
          state: 'closed',
          openedAtMs: 0,
          failedInARow: 0,
          era: 0,
          probe: undefined,
          calls: new Map(),
        };
        return { model, real: { breaker, advance: clock.advance } };
      }, trace);
    }),
    { seed, numRuns: 10_000 },
  );
  t.pass('all traces agree');
});

t.test('ten failures in a row open it, after the reset one call tries', async (t) => {
  const clock = createFakeClock();
  const breaker = createBreaker({ ...settings, now: clock.now });
  for (let failure = 1; failure <= 10; failure += 1) breaker.enter()?.end('failure');
  t.equal(breaker.enter(), undefined);
  t.equal(breaker.retryAtMs, clock.now() + 120_000);

  clock.advance(120_000);
  const probe = breaker.enter();
  t.ok(probe);
  t.equal(breaker.enter(), undefined, 'one at a time');
  t.ok(breaker.enter({ isForced: true }), 'an alert is never stopped');
  probe?.end('success');
  t.equal(breaker.state, 'closed');
});
