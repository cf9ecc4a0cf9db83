import type { ConnectionState } from '@hushryd/sdk/connection/connection-state';
import tap from 'tap';
import { describeLink, isSessionOver, linkStatusOf } from './link-status.ts';

const nowMs = 1_700_000_000_000;
const live: ConnectionState = { name: 'live', transport: 'websocket', connectionId: 'c1' };
const decide = (more: Partial<Parameters<typeof linkStatusOf>[0]>) =>
  linkStatusOf({
    connection: live,
    isNetworkUp: true,
    isServerLive: true,
    lagMs: 0,
    intervalMs: 1000,
    quietMs: 200,
    isMoreExpected: true,
    nowMs,
    ...more,
  });

tap.test('the pill says what is true of the connection', async (t) => {
  const table: [Parameters<typeof decide>[0], string][] = [
    [{}, 'Live'],
    [{ connection: { name: 'closed', reason: 'not_started' } }, 'Connecting'],
    [{ connection: { name: 'connecting', attempt: 0 } }, 'Connecting'],
    [{ connection: { name: 'connecting', attempt: 2 } }, 'Reconnecting, trying now'],
    [
      { connection: { name: 'reconnecting', attempt: 1, nextTryAtMs: nowMs + 2_400, cause: 'lost' } },
      'Reconnecting, next try in 3 s',
    ],
    [
      { connection: { name: 'reconnecting', attempt: 1, nextTryAtMs: nowMs, cause: 'lost' }, isNetworkUp: false },
      'Offline',
    ],
    [{ connection: { name: 'closed', reason: 'ended_by_server', code: 1008 } }, 'Disconnected by the server'],
    [{ connection: { name: 'closed', reason: 'ended_by_server', code: 4502 } }, 'Disconnected by an operator'],
    [{ isServerLive: false }, 'Live data is away'],
    [{ lagMs: 4_100 }, 'Behind by 4 s'],
    [{ quietMs: 9_000 }, 'Behind by 9 s'],
  ];
  for (const [input, words] of table) t.equal(describeLink(decide(input)), words);
});

tap.test('between two reports of a small fleet nothing is late', async (t) => {
  t.equal(decide({ quietMs: 9_000, intervalMs: 5_000 }).kind, 'live');
  t.equal(decide({ quietMs: 13_000, intervalMs: 5_000 }).kind, 'behind');
});

tap.test('a fleet that stands still is not a connection that is behind', async (t) => {
  t.equal(decide({ quietMs: 600_000, isMoreExpected: false }).kind, 'live');
});

tap.test('a browser that thinks it is offline is not believed while frames arrive', async (t) => {
  t.equal(decide({ isNetworkUp: false }).kind, 'live');
});

tap.test('who was signed out or banned has to sign in again, who was disconnected has not', async (t) => {
  const closed = (reason: 'refused' | 'ended_by_server', code?: number) =>
    isSessionOver({ name: 'closed', reason, ...(code !== undefined && { code }) });
  t.ok(closed('refused'));
  t.ok(closed('ended_by_server', 4501));
  t.notOk(closed('ended_by_server', 4502));
  t.notOk(closed('ended_by_server', 1008));
});
