import { AppError } from '@hushryd/platform/errors/app-error';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testRedis } from '@hushryd/platform/testing/engines';
import { listKeys } from '@hushryd/platform/testing/redis-variables';
import t from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { createKeys } from '../redis/keys.ts';
import type { Identity } from './claims.ts';
import { createTickets } from './tickets.ts';

const settings = (await testRedis(t)).settings();
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const clock = createFakeClock();
const tickets = createTickets({ redis, keys: createKeys(settings), now: clock.now });
const identity: Identity = {
  userId: 'anna',
  role: 'rider',
  tokenId: 'token-1',
  issuedAtMs: clock.now(),
  expiresAtMs: clock.now() + 60_000,
  audience: 'user',
};
const origin = 'https://app.example';

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}

t.test('a ticket gives its identity once', async (t) => {
  const { ticket } = await tickets.issue({ identity, origin });

  t.same(await tickets.redeem({ ticket, origin }), identity);
  t.equal(await refusal(tickets.redeem({ ticket, origin })), 'ticket_invalid');
});

t.test('of many who present one ticket at once, one is let in', async (t) => {
  const { ticket } = await tickets.issue({ identity, origin });

  const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal(tickets.redeem({ ticket, origin }))));

  t.equal(outcomes.filter((outcome) => outcome === 'accepted').length, 1);
});

t.test('a ticket is bound to its origin, to having none too, and to the life of the token behind it', async (t) => {
  for (const [issuedTo, presentedBy] of [
    [origin, 'https://evil.example'],
    [origin, undefined],
    [undefined, origin],
  ]) {
    const { ticket } = await tickets.issue({ identity, origin: issuedTo });
    t.equal(await refusal(tickets.redeem({ ticket, origin: presentedBy })), 'ticket_invalid');
  }
  const { ticket } = await tickets.issue({ identity, origin: undefined });
  clock.advance(60_000);
  t.equal(await refusal(tickets.redeem({ ticket, origin: undefined })), 'ticket_invalid');
});

t.test('Redis holds no ticket, and forgets within 30 s', async (t) => {
  const { ticket } = await tickets.issue({ identity, origin });

  const keys = await listKeys(redis, settings.prefix);
  t.ok(keys.length > 0);
  t.notOk(keys.some((key) => key.includes(ticket)));
  for (const key of keys) t.ok((await redis.pttl(key)) <= 30_000);
  for (const broken of ['', '*', ticket.slice(1), `${ticket}x`]) {
    t.equal(await refusal(tickets.redeem({ ticket: broken, origin })), 'ticket_invalid');
  }
});
