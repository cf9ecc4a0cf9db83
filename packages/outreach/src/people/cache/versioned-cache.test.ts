import { randomBytes } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { testRedis } from '@hushryd/platform/testing/engines';
import { createInterleaving } from '@hushryd/platform/testing/interleave';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import fc from 'fast-check';
import t from 'tap';
import { type CacheEntries, createCacheEntries } from './cache-entries.ts';
import { createVersionedCache } from './versioned-cache.ts';

interface Value {
  version: number;
}

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keyOf = (id: string) => `${settings.prefix}entry:${id}`;
const newId = () => randomBytes(9).toString('base64url');
const parse = (data: string) => JSON.parse(data) as Value;
const shipped = createCacheEntries({ redis });
const patience = { withinMs: 20_000 };

/** What goes on at once: changes, one whose node dies before it ends, readers, and a Redis that is emptied or fails over. */
const happenings = ['change', 'dying change', 'read', 'read', 'emptied', 'failover'] as const;
type Happening = (typeof happenings)[number];

/**
 * Runs all of it in an order that follows from the seed, step by step, over the real scripts.
 *
 * @returns the readings that were older than what had been acknowledged when they began
 */
async function runAtOnce(seed: number, all: readonly Happening[], entries: CacheEntries): Promise<string[]> {
  const id = newId();
  const state = { truth: 0, acknowledged: 0 };
  const stale: string[] = [];
  const { step, inSteps, run } = createInterleaving(seed);
  const cache = createVersionedCache<Value>({
    entries: {
      read: inSteps(entries.read),
      renew: inSteps(entries.renew),
      begin: inSteps(entries.begin),
      fill: inSteps(entries.fill),
    },
    keyOf,
    readTruth: inSteps(async () => ({ version: state.truth })),
    parse,
    log,
  });

  async function change(endsWell: boolean): Promise<void> {
    await step();
    const version = state.truth + 1;
    await cache.beginChange(id, version);
    // Two changes of one version: the slower one finds that it is.
    if (state.truth !== version - 1) return;
    state.truth = version;
    await step();
    if (!endsWell) return;
    await cache.settle(id);
    state.acknowledged = Math.max(state.acknowledged, version);
  }

  async function read(): Promise<void> {
    await step();
    const floor = state.acknowledged;
    const result = await cache.read(id, { withinMs: 600_000 });
    if (!('found' in result)) stale.push('missed');
    else if (result.found.version < floor) stale.push(`${result.found.version} after ${floor} was acknowledged`);
  }

  const work: Record<Happening, () => Promise<unknown>> = {
    change: () => change(true),
    'dying change': () => change(false),
    read,
    emptied: inSteps(() => redis.unlink(keyOf(id))),
    // What the new primary has is of another history; what it lacks, it lost.
    failover: inSteps(() => redis.hset(keyOf(id), 's', 'another')),
  };
  await run(all.map((happening) => work[happening]));
  await run([read]);
  return stale;
}

const interleavings = (entries: CacheEntries) =>
  fc.asyncProperty(fc.nat(), fc.array(fc.constantFrom(...happenings), { maxLength: 5 }), async (seed, others) => {
    const stale = await runAtOnce(seed, ['change', 'read', ...others], entries);
    if (stale.length > 0) throw new Error(stale.join(', '));
  });

t.test('whatever comes between, nobody reads less than was acknowledged before', async () => {
  await fc.assert(interleavings(shipped), { numRuns: 80 });
});

/** Stores without asking whether the permit stands, as a cache would that knows none. */
const storeAnyway = async (key: string, { version, data }: { version: number; data: string }) => {
  const lua = `local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
    redis.call('HSET', KEYS[1], 's', server, 'v', ARGV[1], 'd', ARGV[2])
    return redis.call('HDEL', KEYS[1], 'm', 'u', 'f')`;
  await redis.eval(lua, 1, key, version, data);
  return true;
};

t.test('a cache that leaves out a guard is found out', async (t) => {
  const broken: Record<string, CacheEntries> = {
    'stores whatever was read': { ...shipped, fill: storeAnyway },
    'does not let go after the write': { ...shipped, begin: async () => undefined, renew: async () => 'none' },
  };
  for (const [name, entries] of Object.entries(broken)) {
    const { failed } = await fc.check(interleavings(entries), { numRuns: 2_000, endOnFailure: true });
    t.ok(failed, name);
  }
});

t.test(
  'what was read before a change does not come back after it, not even into a Redis that was emptied',
  async (t) => {
    /** @returns what the next reader finds after one who read before the change was the last to store */
    async function readAfterLateFill(entries: CacheEntries): Promise<unknown> {
      const id = newId();
      let truth = 1;
      const [asked, answered, stored] = [gate(), gate(), gate()];
      const late = createVersionedCache<Value>({
        entries: { ...entries, fill: (key, entry) => entries.fill(key, entry).finally(stored.open) },
        keyOf,
        async readTruth() {
          const version = truth;
          asked.open();
          await answered.opened;
          return { version };
        },
        parse,
        log,
      });
      const other = createNode({ truth: () => truth }, entries);

      const reading = late.read(id, { withinMs: 600_000 });
      await asked.opened;
      await other.beginChange(id, 2);
      truth = 2;
      await other.settle(id);
      await redis.unlink(keyOf(id));
      answered.open();
      await Promise.all([reading, stored.opened]);
      const next = await other.read(id, patience);
      return 'found' in next ? next.found.version : next.missed;
    }

    t.equal(await readAfterLateFill(shipped), 2);
    const onlyComparesVersions: CacheEntries['fill'] = async (key, entry) =>
      Number((await redis.hget(key, 'v')) ?? 0) <= entry.version && storeAnyway(key, entry);
    t.equal(
      await readAfterLateFill({ ...shipped, fill: onlyComparesVersions }),
      1,
      'control: versions alone do not do',
    );
  },
);

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

function createNode({ truth, changeWithinMs }: { truth: () => number; changeWithinMs?: number }, entries = shipped) {
  return createVersionedCache<Value>({
    entries,
    keyOf,
    readTruth: async () => ({ version: truth() }),
    parse,
    log,
    ...(changeWithinMs !== undefined && { changeWithinMs }),
  });
}

t.test('a change whose node died before it ended is found once it can no longer be under way', async (t) => {
  const id = newId();
  let version = 1;
  const node = createNode({ truth: () => version, changeWithinMs: 50 });
  const isCached = async () => {
    const read = await node.read(id, patience);
    return 'found' in read && read.from === 'cache' ? read.found : undefined;
  };
  t.same(await waitFor(isCached, { ...patience, what: 'the copy' }), { version: 1 });

  await node.beginChange(id, 2);
  version = 2;
  t.match(await node.read(id, patience), { found: { version: 2 }, from: 'database' });
  t.same(await waitFor(isCached, { ...patience, what: 'the copy of the change' }), { version: 2 });

  await node.beginChange(id, 3);
  t.same(await waitFor(isCached, { ...patience, what: 'a copy, though the change never came' }), { version: 2 });
});

t.test('without Redis it is MongoDB that is read, without MongoDB the copy, without both neither', async (t) => {
  const id = newId();
  const away = async (): Promise<never> => {
    throw new AppError('redis_unavailable', { detail: 'not sent' });
  };
  const hung = () => new Promise<never>(() => undefined);
  const unreachable: CacheEntries = { read: away, renew: away, begin: away, fill: away };
  let isDatabaseAway = false;
  const truth = () => {
    if (isDatabaseAway) throw new AppError('database_unavailable');
    return 7;
  };
  const node = createNode({ truth });
  await node.settle(id);

  t.match(await createNode({ truth }, unreachable).read(id, patience), { found: { version: 7 }, from: 'database' });
  const slow = createNode({ truth }, { ...unreachable, read: hung });
  t.match(await slow.read(id, { withinMs: 200 }), { found: { version: 7 }, from: 'database' });
  isDatabaseAway = true;
  t.match(await node.read(id, patience), { found: { version: 7 }, from: 'cache' });
  t.same(await createNode({ truth }, unreachable).read(id, patience), { missed: 'unavailable' });
  t.same(await slow.read(id, { withinMs: 50 }), { missed: 'too_late' });
});

t.test('an older version never takes the place of a newer one', async (t) => {
  const key = keyOf(newId());
  const first = await shipped.renew(key);
  t.equal(await shipped.fill(key, { permit: first, version: 5, data: 'five' }), true);

  const second = await shipped.renew(key);
  t.equal(await shipped.fill(key, { permit: second, version: 4, data: 'four' }), false);
  t.equal(await shipped.fill(key, { permit: first, version: 6, data: 'six' }), false, 'its permit is void');
  t.equal(await shipped.fill(key, { permit: second, version: 5, data: 'five' }), true);
  t.same(await shipped.read(key), { data: 'five' });
});
