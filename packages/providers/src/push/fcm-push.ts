import { type CodeMeaning, toFailure, toMalformed } from '../http/failed-answer.ts';
import { raceDeadline } from '../http/race-deadline.ts';
import { at, type Json, readJson, textAt } from '../http/read-json.ts';
import type { VendorAnswer, VendorHttp } from '../http/vendor-http.ts';
import {
  accepted,
  defaultDeadlineMs,
  failed,
  type SendContext,
  type SendFailure,
  type SendOutcome,
} from '../provider.ts';
import { type AccessToken, createFcmAccessTokens, type ServiceAccount } from './fcm-access-token.ts';
import type { PushMessage, PushProvider } from './push-provider.ts';

export interface FcmSettings {
  readonly account: ServiceAccount;
  /** `https://fcm.googleapis.com`, or whoever plays it. */
  readonly baseUrl: string;
}

/** Source: firebase.google.com, "FCM v1 error codes". */
const meanings: Readonly<Record<string, CodeMeaning>> = {
  UNREGISTERED: { errorClass: 'give-up', reason: 'token-dead' },
  // The token belongs to another project: for us it is as dead.
  SENDER_ID_MISMATCH: { errorClass: 'give-up', reason: 'token-dead' },
  THIRD_PARTY_AUTH_ERROR: { errorClass: 'next', reason: 'misconfigured' },
  QUOTA_EXCEEDED: { errorClass: 'retry', reason: 'rate-limited' },
  UNAVAILABLE: { errorClass: 'retry', reason: 'vendor-error' },
  INTERNAL: { errorClass: 'retry', reason: 'vendor-error' },
};

/**
 * Push to Android, iOS and browsers through FCM's v1 API. FCM sends no receipts: the app tells what was seen.
 *
 * Android is woken by high priority, iOS by priority 10; both forget the message after its time. A token that FCM no longer knows is
 * `give-up` with reason `token-dead`: delete the device. Source: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.
 */
export function createFcm({ settings, http }: { settings: FcmSettings; http: VendorHttp }): PushProvider {
  const tokens = createFcmAccessTokens({ account: settings.account, http });
  const url = `${settings.baseUrl}/v1/projects/${settings.account.project_id}/messages:send`;

  async function post(token: AccessToken, body: string, context: SendContext, startedMs: number) {
    const leftMs = (context.deadlineMs ?? defaultDeadlineMs) - (performance.now() - startedMs);
    if (leftMs <= 0) return failed('retry', 'timeout');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token.value}` };
    return http.post({ url, headers, body }, { ...context, deadlineMs: leftMs });
  }

  return {
    name: 'fcm',
    channel: 'push',
    async send(message, context) {
      const startedMs = performance.now();
      const body = JSON.stringify({
        message: toFcmMessage(message, { attemptId: context.attemptId, nowMs: Date.now() }),
      });
      let token = await raceDeadline(tokens.get(), context);
      if (token.kind === 'failed') return token;
      let answer = await post(token, body, context, startedMs);
      if (answer.kind === 'answered' && answer.status === 401 && codeOf(readJson(answer.body)) === undefined) {
        // Google may end a token early: it refused this one, so nothing was sent, and a new one may do.
        tokens.forget(token);
        token = await raceDeadline(tokens.get(), context);
        if (token.kind === 'failed') return token;
        answer = await post(token, body, context, startedMs);
      }
      return readAnswer(answer);
    },
  };
}

function readAnswer(answer: VendorAnswer | SendFailure): SendOutcome {
  if (answer.kind === 'failed') return answer;
  const body = readJson(answer.body);
  const vendorCode = codeOf(body) ?? textAt(body, 'error', 'status');
  if (answer.status >= 300) return toFailure(answer, { vendorCode, meaning: meaningOf(vendorCode, body) });
  const name = textAt(body, 'name');
  return name === undefined ? toMalformed(answer, vendorCode) : accepted(name);
}

function codeOf(body: Json): string | undefined {
  const details = at(body, 'error', 'details');
  return (Array.isArray(details) ? details : []).map((detail) => textAt(detail, 'errorCode')).find(Boolean);
}

function meaningOf(code: string | undefined, body: Json): CodeMeaning | undefined {
  if (code === 'INVALID_ARGUMENT' && isAboutToken(body)) return { errorClass: 'give-up', reason: 'recipient-invalid' };
  return code !== undefined && Object.hasOwn(meanings, code) ? meanings[code] : undefined;
}

function isAboutToken(body: Json): boolean {
  const details = at(body, 'error', 'details');
  return (Array.isArray(details) ? details : []).some(
    (detail) => textAt(detail, 'fieldViolations', 0, 'field') === 'message.token',
  );
}

function toFcmMessage(message: PushMessage, { attemptId, nowMs }: { attemptId: string; nowMs: number }): object {
  const { token, title, body, data, ttlSeconds = 3_600, isUrgent = false, collapseKey } = message;
  return {
    token,
    notification: { title, body },
    // The app says by it what was seen: FCM itself sends no receipts.
    data: { ...data, attempt_id: attemptId },
    android: {
      priority: isUrgent ? 'HIGH' : 'NORMAL',
      ttl: `${ttlSeconds}s`,
      ...(collapseKey !== undefined && { collapse_key: collapseKey }),
      notification: { channel_id: isUrgent ? 'alerts' : 'rides', sound: 'default' },
    },
    apns: {
      headers: {
        'apns-push-type': 'alert',
        'apns-priority': isUrgent ? '10' : '5',
        'apns-expiration': String(Math.floor(nowMs / 1_000) + ttlSeconds),
        ...(collapseKey !== undefined && { 'apns-collapse-id': collapseKey }),
      },
      payload: {
        aps: {
          sound: 'default',
          // Lets the app work in the background when it comes.
          'content-available': 1,
          'interruption-level': isUrgent ? 'time-sensitive' : 'active',
        },
      },
    },
  };
}
