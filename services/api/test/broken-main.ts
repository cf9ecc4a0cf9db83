import { runBrokenApi } from './run-broken-api.ts';

// The negative control of the crash tests: an api that acknowledges an alert before it is persisted. Whoever checks that no acknowledged
// alert is lost has to find it out.

const persistLaterMs = 2_000;

runBrokenApi((real) => ({
  ...real,
  async raise(press) {
    setTimeout(() => void real.raise(press), persistLaterMs);
    const { alertId } = press.trigger;
    return { alertId, durability: 'majority', state: 'open', acceptedAt: new Date().toISOString() };
  },
}));
