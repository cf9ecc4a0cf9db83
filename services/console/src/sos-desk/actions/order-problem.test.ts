import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import tap from 'tap';
import { describeFailure } from './order-problem.ts';

tap.test('a refusal is certain, a silence is not', async (t) => {
  const refused = new HttpProblem({ code: 'sos_phone_unknown', status: 409, message: 'no number' });
  const silent = new HttpProblem({ code: 'unreachable', status: 0, message: 'no answer' });
  t.equal(describeFailure('call', refused), 'That was not done.');
  t.match(describeFailure('acknowledge', silent), /^It is not known whether the alert was acknowledged/);
});
