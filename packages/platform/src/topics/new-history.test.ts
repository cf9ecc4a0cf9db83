import t from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { createKeys } from '../redis/keys.ts';
import { ownRedis } from '../testing/engines.ts';
import { toSettings } from '../testing/redis-variables.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createPublishChange } from './publish-change.ts';
import { createPublishEvent } from './publish-event.ts';
import { createRecoverEvents } from './recover-events.ts';

t.test('a server with another history begins new epochs: its offsets may mean other events', async (t) => {
  const engine = await ownRedis(t);
  const settings = toSettings({ REDIS_URL: engine.url }, { prefix: 'test:' });
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const { commands: redis } = connections;
  const keys = createKeys(settings);
  const publishEvent = createPublishEvent({ redis, keys });
  const publishChange = createPublishChange({ redis, keys });
  const recoverEvents = createRecoverEvents({ redis, keys });
  const notice = (n: number) => publishEvent('user:anna', { n });
  const change = async (version: number) =>
    (
      await publishChange({
        topic: 'trip:one',
        recordKey: keys.tripAccess('one'),
        record: { version },
        recordKeepMs: 60_000,
        logEntry: 'one',
        event: { version },
      })
    ).head;

  const [first, second] = [await notice(1), await notice(2)];
  const [created, started] = [await change(1), await change(2)];
  t.same(second, { epoch: first.epoch, offset: 2 }, 'control: the same server goes on');
  t.same(started, { epoch: created?.epoch, offset: 2 });

  // What a failover to a replica that was behind leaves: the second ones are gone, and nobody has noticed yet.
  for (const topic of ['user:anna', 'trip:one']) {
    await redis.hset(keys.topicHead(topic), 'offset', 1);
    await redis.del(keys.topicEvents(topic));
  }
  await redis.set(keys.tripAccess('one'), JSON.stringify({ version: 1 }));
  await engine.faults.restart();
  await waitFor(() => redis.ping(), { withinMs: 20_000, what: 'the server' });

  const other = await notice(3);
  t.not(other.epoch, first.epoch);
  t.equal(other.offset, 1);
  t.match(await recoverEvents('user:anna', second), { recovered: false, head: other });
  const changed = await change(2);
  t.not(changed?.epoch, created?.epoch);
  t.match(await recoverEvents('trip:one', { epoch: created?.epoch ?? '', offset: 2 }), { recovered: false });
  t.same(await notice(4), { epoch: other.epoch, offset: 2 }, 'once');
});
