import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { EntryEndReason, OutboxEntry } from '../alerts/alert-document.ts';
import { ownerOf } from '../alerts/drill-person.ts';
import type { ContactSeal, SealedContact } from '../people/contacts/contact-seal.ts';
import type { DeviceStore } from '../people/devices/device-store.ts';
import type { OnCallPerson } from '../people/on-call/on-call-document.ts';
import type { OnCallReader } from '../people/on-call/on-call-reader.ts';
import type { AlertView } from './alert-view.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';

/** Where one message goes. */
export interface Target {
  /** A number, an address, a push token, or a user's id for the app. */
  to: string;
  locale: string;
  personId?: string;
  /** Of a push token, for the case that it is dead. */
  tokenHash?: string;
}

/** All of `together` get it at once (a person's devices, everybody on call); of `inTurn` one after the other until somebody answers. */
export type Recipients =
  | { kind: 'together' | 'inTurn'; targets: Target[] }
  | { kind: 'nobody'; reason: EntryEndReason }
  /** Nobody could say in time. */
  | { kind: 'unknown' };

export interface RecipientSources {
  contactSeal: Pick<ContactSeal, 'open'>;
  devices: Pick<DeviceStore, 'pushTargets'>;
  onCall: Pick<OnCallReader, 'readOnCall'>;
  /** The person's own verified number; undefined where there is none. @throws AppError `database_unavailable` */
  readOwnPhone: (userId: string) => Promise<{ phone: string; locale: string } | undefined>;
  metrics: Pick<DispatchMetrics, 'unreadableDevice'>;
  log: Logger;
  /** By which somebody is on call. */
  now: () => number;
}

export type FindRecipients = (
  alert: AlertView,
  entry: Pick<OutboxEntry, 'recipient' | 'channel'>,
  /** As they are now, where they have changed since the alert. */
  contacts: readonly SealedContact[],
) => Promise<Recipients>;

/** Longer than the caches need, shorter than what anybody should wait for on the way of an alert. */
const rotaWithinMs = 500;
/** One message of many copies is one attempt: this many of a person's devices get it. */
const maxTogether = 5;

/**
 * Whom an entry reaches, and where. Of several addresses one that cannot be decrypted is left out.
 *
 * @throws AppError `internal` where none of them can be decrypted
 */
export function createFindRecipients({
  contactSeal,
  devices,
  onCall,
  readOwnPhone,
  metrics,
  log,
  now,
}: RecipientSources): FindRecipients {
  async function pushTo(userId: string, locale: string): Promise<Recipients> {
    try {
      const { readable, unreadable } = await devices.pushTargets(userId);
      for (const { deviceId, error: err } of unreadable) {
        metrics.unreadableDevice();
        log.error({ err, userId, deviceId }, 'a device is left out of an alert, its push token is not readable');
      }
      if (readable.length === 0 && unreadable.length > 0) throw unreadable[0]?.error;
      const targets = readable.slice(0, maxTogether).map((device) => ({
        to: device.token,
        locale: device.locale ?? locale,
        personId: userId,
        tokenHash: device.tokenHash,
      }));
      return targets.length === 0 ? { kind: 'nobody', reason: 'no-address' } : { kind: 'together', targets };
    } catch (error) {
      return unknownUnlessUnreadable(error);
    }
  }

  async function ofContact(
    { person }: AlertView,
    channel: OutboxEntry['channel'],
    sealed: SealedContact | undefined,
  ): Promise<Recipients> {
    if (sealed === undefined) return { kind: 'nobody', reason: 'contact-removed' };
    const { phone, email, locale, userId } = contactSeal.open(ownerOf(person.userId), sealed);
    if (channel === 'push') return userId === undefined ? noAddress : pushTo(userId, locale);
    const addresses: Partial<Record<typeof channel, string | undefined>> = {
      sms: phone,
      whatsapp: phone,
      voice: phone,
      email,
      app: userId,
    };
    const to = addresses[channel];
    return to === undefined ? noAddress : { kind: 'together', targets: [{ to, locale }] };
  }

  async function ofOnCall(level: number, channel: OutboxEntry['channel']): Promise<Recipients> {
    const read = await onCall.readOnCall({ atMs: now(), withinMs: rotaWithinMs });
    if (read === undefined) return { kind: 'unknown' };
    const people = onLevel(read.levels, level);
    if (people.length === 0) return { kind: 'nobody', reason: 'nobody-on-call' };
    // Whoever is on call is called, whatever else they want.
    if (channel === 'voice') return { kind: 'inTurn', targets: people.map(toTarget) };
    const wanting = people.filter(({ channels }) => (channels as readonly string[]).includes(channel));
    if (wanting.length === 0) return noAddress;
    if (channel !== 'push') return { kind: 'together', targets: wanting.map(toTarget) };
    const found = await Promise.allSettled(wanting.map(({ personId, locale }) => pushTo(personId, locale)));
    const targets = found.flatMap((one) =>
      one.status === 'fulfilled' && 'targets' in one.value ? one.value.targets : [],
    );
    if (targets.length > 0) return { kind: 'together', targets };
    const lost = found.find((one) => one.status === 'rejected');
    if (lost !== undefined) throw lost.reason;
    return noAddress;
  }

  return async (alert, { recipient, channel }, contacts) => {
    switch (recipient.kind) {
      case 'contact':
        return ofContact(
          alert,
          channel,
          contacts.find(({ contactId }) => contactId === recipient.contactId),
        );
      case 'on_call':
        return ofOnCall(recipient.level ?? 1, channel);
      case 'person': {
        try {
          const own = await readOwnPhone(alert.person.userId);
          return own === undefined ? noAddress : { kind: 'together', targets: [{ to: own.phone, locale: own.locale }] };
        } catch (error) {
          return unknownUnlessUnreadable(error);
        }
      }
      default:
        return { kind: 'together', targets: [{ to: recipient.kind, locale: 'en' }] };
    }
  };
}

/** What cannot be decrypted is no better a second later. */
function unknownUnlessUnreadable(error: unknown): Recipients {
  if (error instanceof AppError && error.code === 'internal') throw error;
  return { kind: 'unknown' };
}

const noAddress = { kind: 'nobody', reason: 'no-address' } as const;
const toTarget = ({ personId, phone, locale }: OnCallPerson): Target => ({ to: phone, locale, personId });

/** Levels without anybody are passed over, and after the last one it begins anew: it goes on for ever. @param level from 1 */
export function onLevel<Person>(levels: readonly (readonly Person[])[], level: number): readonly Person[] {
  const manned = levels.filter((people) => people.length > 0);
  return manned[(Math.max(1, level) - 1) % Math.max(1, manned.length)] ?? [];
}
