import type { NoticeReply } from '@hushryd/contracts/http/realtime';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { asRider, createCollections, environmentOf, operator, startTestApi } from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const lines: string[] = [];
const environment = { ...environmentOf({ redis, mongo }), LOG_LEVEL: 'info' };
const api = await startTestApi(t, environment, { onLogLine: (line) => lines.push(line) });

const ordersOf = (targetUserId: string) =>
  lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line.targetUserId === targetUserId)
    .map(({ level: _l, time: _t, service: _s, instance: _i, instanceId: _n, ...fields }) => fields);

t.test('what staff order of a person is written down: who, whom, what and why, and nothing they said', async (t) => {
  const line = { userId: operator.userId, targetUserId: 'rita', msg: 'ordered by staff' };

  await api.call('POST /v1/users/rita/sign-out', { as: operator, body: { reason: 'banned' } });
  // Carried out or not: this one was not.
  await api.call('DELETE /v1/users/rita/connections/node-x.7', { as: operator });
  const notice = await api.call<NoticeReply>('POST /v1/users/rita/notices', {
    as: operator,
    body: { title: 'Canary title', text: 'Canary text', data: { seat: 'canary' } },
  });

  t.strictSame(ordersOf('rita'), [
    { ...line, action: 'sign_out', reason: 'banned' },
    { ...line, action: 'end_connection', connectionId: 'node-x.7' },
    { ...line, action: 'send_notice', noticeId: notice.body.noticeId },
  ]);
  t.notMatch(lines.join(''), /canary (title|text)|seat/i);
});

t.test('who may not order anything is not written down as having ordered it', async (t) => {
  await api.call('POST /v1/users/rosa/sign-out', { as: asRider('rita'), body: {} });
  await api.call('POST /v1/users/rosa/notices', { as: operator, body: {} });
  t.strictSame(ordersOf('rosa'), []);
});
