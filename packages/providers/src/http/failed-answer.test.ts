import t from 'tap';
import { readRetryAfter, toFailure, toMalformed } from './failed-answer.ts';
import { toNetworkFailure } from './network-failure.ts';

const nowMs = Date.parse('2026-03-01T08:00:00Z');
const answer = (status: number, retryAfter?: string) => ({ status, headers: { 'retry-after': retryAfter } });

t.test('a status says what to do next', async (t) => {
  const expected: readonly [status: number, errorClass: string, reason: string, isUnknown: boolean][] = [
    [400, 'next', 'misconfigured', false],
    [401, 'next', 'unauthorised', false],
    [402, 'next', 'suspended', false],
    [403, 'next', 'unauthorised', false],
    [404, 'next', 'misconfigured', false],
    [408, 'retry', 'vendor-error', false],
    [425, 'retry', 'vendor-error', false],
    [429, 'retry', 'rate-limited', false],
    [500, 'retry', 'vendor-error', true],
    [502, 'retry', 'vendor-error', true],
    [503, 'retry', 'vendor-error', false],
    [504, 'retry', 'vendor-error', true],
    [302, 'next', 'misconfigured', false],
  ];
  for (const [httpStatus, errorClass, reason, isUnknown] of expected) {
    t.same(toFailure(answer(httpStatus), {}), { kind: 'failed', errorClass, reason, isUnknown, httpStatus });
  }
});

t.test("the vendor's code says it better", async (t) => {
  const meaning = { errorClass: 'give-up', reason: 'recipient-invalid' } as const;

  t.match(toFailure(answer(400), { vendorCode: '21211', meaning }), { ...meaning, vendorCode: '21211' });
  t.match(toMalformed(answer(200), '7'), { errorClass: 'retry', isUnknown: true, vendorCode: '7' });
});

t.test('Retry-After is seconds or a date, an hour at most', async (t) => {
  t.equal(readRetryAfter('7', nowMs), 7_000);
  t.equal(readRetryAfter('0', nowMs), 0);
  t.equal(readRetryAfter('Sun, 01 Mar 2026 08:00:09 GMT', nowMs), 9_000);
  t.equal(readRetryAfter('Sun, 01 Mar 2026 07:00:00 GMT', nowMs), 0);
  t.equal(readRetryAfter('999999', nowMs), 3_600_000);
  for (const nothing of [undefined, '', 'soon', [] as string[]]) t.equal(readRetryAfter(nothing, nowMs), undefined);
  t.equal(toFailure(answer(503, '4'), { nowMs }).retryAfterMs, 4_000);
  t.equal(toFailure(answer(401, '4'), { nowMs }).retryAfterMs, undefined, 'waiting does not mend a key');
});

t.test('only a connection that was never made is certain', async (t) => {
  const failure = (code: string | undefined) =>
    toNetworkFailure(Object.assign(new Error('to +919800000000'), { code }), { isAborted: false, isLate: false });

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']) {
    t.same(failure(code), {
      kind: 'failed',
      errorClass: 'retry',
      reason: 'network',
      isUnknown: false,
      vendorCode: code,
    });
  }
  for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', undefined])
    t.match(failure(code), { reason: 'network', isUnknown: true });
  for (const code of ['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
    t.match(failure(code), { errorClass: 'next', reason: 'certificate', isUnknown: false });
  }
  const several = new AggregateError(
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })],
    'no address answers',
  );
  t.match(toNetworkFailure(several, { isAborted: false, isLate: false }), {
    vendorCode: 'ECONNREFUSED',
    isUnknown: false,
  });
  t.notMatch(JSON.stringify(failure('ECONNRESET')), '98000', 'and no message is passed on');
});
