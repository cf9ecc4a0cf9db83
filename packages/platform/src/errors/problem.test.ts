import t from 'tap';
import { AppError } from './app-error.ts';
import { readCorrelationId } from './correlation-id.ts';
import { toProblem } from './problem.ts';

const correlationId = 'request-1';

t.test('a problem says what the caller may know', async (t) => {
  t.same(toProblem(new AppError('request_invalid', { detail: 'bbox' }), { correlationId }), {
    problem: {
      type: 'urn:hushryd:problem:request_invalid',
      title: 'The request does not fit its schema',
      status: 400,
      code: 'request_invalid',
      detail: 'bbox',
      correlationId,
    },
    headers: { 'content-type': 'application/problem+json; charset=utf-8', 'x-request-id': correlationId },
  });
  const failed = toProblem(new AppError('internal', { detail: 'a secret' }), { correlationId });
  t.notOk(failed.problem.detail, 'what lies behind a 5xx stays inside');
  t.notOk(failed.headers['retry-after']);
});

t.test('the headers say what to do next', async (t) => {
  const headersOf = (error: AppError) => toProblem(error, { correlationId }).headers;
  t.match(headersOf(new AppError('token_expired')), { 'www-authenticate': 'Bearer' });
  t.match(headersOf(new AppError('redis_unavailable')), { 'retry-after': '1' });
  t.match(headersOf(new AppError('too_many_sockets')), { 'retry-after': '1' });
  t.match(headersOf(new AppError('draining', { retryAfterMs: 2001 })), { 'retry-after': '3' });
});

t.test('a request keeps its id where it is one', async (t) => {
  for (const given of ['12345678', 'a.b_c-D9', 'x'.repeat(64)]) t.equal(readCorrelationId(given), given);
  for (const given of [undefined, '', '1234567', 'x'.repeat(65), 'has:colon', 'new\nline8', ['12345678']]) {
    t.match(readCorrelationId(given), /^[0-9a-f-]{36}$/);
  }
});
