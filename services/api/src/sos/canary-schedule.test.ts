import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t, { type Test } from 'tap';
import { startCanary } from './canary-schedule.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const redis = await testRedis(t);
const settings = redis.settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const everyMs = 600;
const patient = { withinMs: 20_000 };

/** One api that shares the turn with others of this prefix. */
function startApi(t: Test, { prefix, away = false }: { prefix: string; away?: boolean }) {
  const runs: number[] = [];
  const ages: number[] = [];
  const schedule = startCanary({
    runCanary: async () => {
      runs.push(Date.now());
      return true;
    },
    drills: { sinceCanaryMs: async () => 1_234 },
    metrics: { passed: (agoMs) => void ages.push(agoMs) },
    redis: away ? { set: () => Promise.reject(new Error('Redis is away')) } : connections.commands,
    keys: createKeys({ ...settings, prefix: `${settings.prefix}${prefix}:` }),
    everyMs,
    log,
  });
  t.teardown(() => schedule.close());
  return { runs, ages, close: () => schedule.close() };
}

t.test('two apis take turns: one canary a period, and none is left out when one of them ends', async (t) => {
  const [one, other] = [startApi(t, { prefix: 'turns' }), startApi(t, { prefix: 'turns' })];
  const all = () => [...one.runs, ...other.runs].toSorted((a, b) => a - b);

  await waitFor(() => all().length >= 6, { ...patient, what: 'six canaries' });
  const pausesMs = all()
    .slice(1)
    .map((at, index) => at - (all()[index] ?? 0));
  t.ok(
    pausesMs.every((ms) => ms > everyMs / 2),
    `never two at once: ${pausesMs.join(', ')} ms apart`,
  );
  t.ok(one.ages.length > 0 && other.ages.length > 0, 'both show when it got through last, wherever that was');

  await one.close();
  const before = other.runs.length;
  await waitFor(() => other.runs.length >= before + 2, { ...patient, what: 'the other one’s canaries' });
});

t.test('where Redis cannot say whose turn it is, each goes by its own clock', async (t) => {
  const [one, other] = [startApi(t, { prefix: 'away', away: true }), startApi(t, { prefix: 'away', away: true })];

  await waitFor(() => one.runs.length >= 3 && other.runs.length >= 3, { ...patient, what: 'canaries of both' });
  const pausesMs = one.runs.slice(1).map((at, index) => at - (one.runs[index] ?? 0));
  t.ok(
    pausesMs.every((ms) => ms > everyMs / 2),
    'at its pace all the same',
  );
});
