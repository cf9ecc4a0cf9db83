import type { SosReply } from '@hushryd/contracts/http/sos';
import type { Role } from '@hushryd/platform/auth/claims';
import type { GetToken } from '@hushryd/sdk/http/get-token';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import { carryPhone } from './carry-phone.ts';
import { findRider } from './find-rider.ts';
import { madeUpContacts, madeUpRota } from './made-up-people.ts';
import { verifyPhone } from './verify-phone.ts';

export interface SimulatedSos {
  /**
   * Let a rider of a running trip press SOS, with emergency contacts and, where there is none, a rota. The operator's own token decides
   * whether the operator may see trips and people; the rider speaks with one of their own.
   *
   * @throws NobodyRidesError after half a minute without anybody who could, HttpProblem
   * Cost: some ten requests, and a few a second while it waits for somebody.
   */
  press(operatorToken: string): Promise<SosReply>;
  /** The phones say nothing any more. */
  close(): Promise<void>;
}

const device = { platform: 'android', model: 'Simulated phone', osVersion: '16', appVersion: '1.0.0' };
const note = 'The driver left the route and does not answer.';

/** What the button of the console does in a system that was started to be tried out. */
export function createSimulatedSos({
  apiUrl,
  inboxUrl,
  tokensFor,
  now = Date.now,
}: {
  apiUrl: string;
  /** Of the sandbox that plays the outside companies. */
  inboxUrl: string;
  tokensFor: (who: { userId: string; role: Role }) => GetToken;
  now?: () => number;
}): SimulatedSos {
  const closing = new AbortController();
  const phones = new Set<Promise<void>>();

  return {
    async press(operatorToken) {
      const operator = createHttpClient({ apiUrl, getToken: () => operatorToken });
      const [{ rider, position }] = await Promise.all([
        findRider({ operator, signal: closing.signal }),
        fillRota(operator),
      ]);
      const http = createHttpClient({ apiUrl, getToken: tokensFor({ userId: rider.userId, role: 'rider' }) });
      for (const { contactId, contact } of madeUpContacts) await http.putContact(contactId, contact);

      const { lat, lng, accuracyMeters, recordedAt, batteryPercent } = position;
      const reply = await http.raiseSos({
        alertId: uuidV7(now()),
        triggeredAt: new Date(now()).toISOString(),
        tripId: rider.trip.tripId,
        location: {
          lat,
          lng,
          recordedAt,
          ...(accuracyMeters !== undefined && { accuracyMeters }),
        },
        ...(batteryPercent !== undefined && { batteryPercent }),
        device,
        note,
      });
      const { alertId } = reply;
      const { tripId } = rider.trip;
      const phone = carryPhone({ rider: http, alertId, tripId, place: { lat, lng }, signal: closing.signal });
      phones.add(phone);
      void phone.finally(() => phones.delete(phone));
      // The alert does not wait for it. Without a number nobody can have the rider called, which the desk says when asked.
      verifyPhone({ rider: http, inboxUrl }).catch(() => undefined);
      return reply;
    },
    async close() {
      closing.abort();
      await Promise.all(phones);
    },
  };
}

/** So that an alert that nobody acknowledges calls somebody. A rota that is there is left alone. */
async function fillRota(operator: HttpClient): Promise<void> {
  const { version } = await operator.getOnCall();
  if (version > 0) return;
  try {
    await operator.putOnCall(madeUpRota);
  } catch (error) {
    // Somebody made one meanwhile.
    if (!(error instanceof HttpProblem && error.code === 'version_conflict')) throw error;
  }
}
