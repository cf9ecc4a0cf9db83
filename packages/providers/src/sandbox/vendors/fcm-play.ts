import { randomBytes, randomInt } from 'node:crypto';
import { at, readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import type { GoogleTokens } from './google-tokens.ts';
import { bearerToken, json, type VendorPlay } from './vendor-play.ts';

const fcmError = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const error = (code: number, status: string, message: string, details: object[] = []) => ({
  error: { code, message, status, details },
});
const withCode = (errorCode: string) => [{ '@type': fcmError, errorCode }];

/** A token that FCM no longer knows. */
export const deadTokenPrefix = 'dead-';

/** FCM's v1 API. It sends no receipts. Tokens that begin with `dead-` are unregistered. */
export function createFcmPlay({ projectId }: SandboxCredentials['fcm'], tokens: GoogleTokens): VendorPlay {
  return {
    provider: 'fcm',
    channel: 'push',
    matches: (call) => call.method === 'POST' && /^\/v1\/projects\/[^/]+\/messages:send$/.test(call.path),
    isGenuine: (call) => tokens.isValid(bearerToken(call)) && call.path === `/v1/projects/${projectId}/messages:send`,
    read(call) {
      const body = readJson(call.body);
      const token = textAt(body, 'message', 'token');
      if (token === undefined) {
        const violation = {
          field: 'message.token',
          description: 'The registration token is not a valid FCM registration token',
        };
        const details = [
          ...withCode('INVALID_ARGUMENT'),
          { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] },
        ];
        return json(
          400,
          error(400, 'INVALID_ARGUMENT', 'The registration token is not a valid FCM registration token', details),
        );
      }
      if (token.startsWith(deadTokenPrefix)) return this.refuse('invalid-recipient', {});
      const data = at(body, 'message', 'data');
      const text = textAt(body, 'message', 'notification', 'body');
      const title = textAt(body, 'message', 'notification', 'title');
      const android = at(body, 'message', 'android');
      const apns = at(body, 'message', 'apns');
      return {
        id: `projects/${projectId}/messages/0:${Date.now()}${randomInt(100, 999)}%${randomBytes(8).toString('hex')}`,
        recipient: token,
        attemptId: textAt(data, 'attempt_id'),
        content: {
          ...(title !== undefined && { title }),
          ...(text !== undefined && { text }),
          data: { data, android, apns },
        },
      };
    },
    accept: ({ id }) => json(200, { name: id }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, error(500, 'INTERNAL', 'Internal error encountered.', withCode('INTERNAL')));
        case '429':
          return json(429, error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', withCode('QUOTA_EXCEEDED')), {
            'retry-after': String(retryAfterSeconds),
          });
        case 'auth':
          return json(401, error(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'));
        case 'invalid-recipient':
          return json(404, error(404, 'NOT_FOUND', 'Requested entity was not found.', withCode('UNREGISTERED')));
        case 'error-in-200':
          return json(200, error(503, 'UNAVAILABLE', 'The service is unavailable.', withCode('UNAVAILABLE')));
      }
    },
  };
}
