import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { problem } from '../web/http-exchange.ts';
import type { Handler } from '../web/web-server.ts';
import { NobodyRidesError } from './find-rider.ts';
import type { SimulatedSos } from './press-sos.ts';

/** `POST /dev/sos`, with an operator's bearer token: 201 and the alert, or a sentence for the operator. */
export function answerPress(simulated: SimulatedSos): Handler {
  return async ({ headers }) => {
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) return { status: 401, body: problem(401, 'Only a signed-in operator may do that.') };
    try {
      return { status: 201, body: await simulated.press(token) };
    } catch (error) {
      if (error instanceof NobodyRidesError) return { status: 409, body: problem(409, error.message) };
      if (!(error instanceof HttpProblem)) throw error;
      const status = error.status === 0 ? 503 : error.status;
      return { status, body: problem(status, `The API refused it: ${error.message}.`) };
    }
  };
}
