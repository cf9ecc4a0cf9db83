import type { SosDrill, SosEvent, SosEventName } from '@hushryd/contracts/events/sos-event';
import type { SosLocation } from '@hushryd/contracts/http/sos';
import { adminSosTopic, sosTopic } from '@hushryd/contracts/realtime/topics';
import { toAppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import type { AlertDocument } from './alert-document.ts';
import type { AlertMetrics } from './alert-metrics.ts';

/** What an announcement says of the alert. */
export type AnnouncedAlert = Pick<
  AlertDocument,
  '_id' | 'state' | 'version' | 'person' | 'trigger' | 'duressAt' | 'isDrill'
>;

export interface Announcement {
  alert: AnnouncedAlert;
  name: SosEventName;
  atMs: number;
  byUserId?: string | undefined;
  isProvisional?: boolean;
}

export type AnnounceAlert = (announcement: Announcement) => Promise<boolean>;

/** Redis gets no longer than this on the way of an alert. Source: design §9. */
const announceWithinMs = 150;
const loudEvents = new Set<SosEventName>(['sos.raised', 'sos.pressed_again', 'sos.duress']);

/**
 * Tell operators and those around the alert what became of it: events on `admin:sos` and `sos:{alertId}`.
 *
 * Of a drill the operators' topic says that it passed here, and nothing else is told.
 *
 * Announced is what is persisted, or what nothing can hold (`raise-sos.ts`). What Redis does not take in time is counted and left to the sweeper: the alert stands.
 *
 * @returns whether the operators' topic took it; never throws
 * Cost: two script calls.
 */
export function createAnnounceAlert({
  publishEvent,
  mapUrl,
  metrics,
  log,
}: {
  publishEvent: PublishEvent;
  /** Address of a map with `{lat}` and `{lng}` in it. */
  mapUrl: string;
  metrics: Pick<AlertMetrics, 'announceFailed'>;
  log: Logger;
}): AnnounceAlert {
  async function publish(topic: string, event: SosEvent | SosDrill): Promise<boolean> {
    try {
      return await raceTimer(
        publishEvent(topic, event).then(() => true),
        announceWithinMs,
        () => false,
      );
    } catch (error) {
      log.warn({ alertId: event.alertId, code: toAppError(error).code }, 'alert not announced, the sweeper will');
      return false;
    }
  }

  return async (announcement) => {
    const { alert } = announcement;
    const personEvent = toPersonEvent(announcement);
    const [isTold] = await Promise.all([
      publish(adminSosTopic, alert.isDrill ? toDrill(announcement) : toDeskEvent(announcement, mapUrl)),
      ...(personEvent === undefined ? [] : [publish(sosTopic(alert._id), personEvent)]),
    ]);
    if (!isTold) metrics.announceFailed.inc();
    return isTold;
  };
}

/** A link that shows where the phone was. */
export function toMapUrl(template: string, { lat, lng }: Pick<SosLocation, 'lat' | 'lng'>): string {
  return template.replaceAll('{lat}', String(lat)).replaceAll('{lng}', String(lng));
}

const toDrill = ({ alert, atMs }: Announcement): SosDrill => ({
  name: 'sos.drill',
  alertId: alert._id,
  at: new Date(atMs).toISOString(),
});

function toDeskEvent({ alert, name, atMs, byUserId, isProvisional }: Announcement, mapUrl: string): SosEvent {
  const { location, tripId } = alert.trigger;
  const isLoud = loudEvents.has(name);
  return {
    name,
    alertId: alert._id,
    at: new Date(atMs).toISOString(),
    version: alert.version,
    state: alert.state,
    userId: alert.person.userId,
    role: alert.person.role,
    ...(tripId !== undefined && { tripId }),
    ...(location !== undefined && {
      lat: location.lat,
      lng: location.lng,
      ...(location.accuracyMeters !== undefined && { accuracyMeters: location.accuracyMeters }),
      locatedAt: location.recordedAt,
      mapUrl: toMapUrl(mapUrl, location),
    }),
    ...(byUserId !== undefined && { byUserId }),
    priority: 'critical',
    ...(isLoud && { sound: true }),
    ...(isProvisional && { isProvisional }),
  };
}

/** Whoever made the person cancel may look at the person's phone: it says what a cancelled alert says, and nothing afterwards. */
function toPersonEvent({ alert, name, atMs, isProvisional }: Announcement): SosEvent | undefined {
  if (alert.isDrill) return undefined;
  const isShownCancelled = alert.duressAt !== undefined;
  if (isShownCancelled && name !== 'sos.duress') return undefined;
  return {
    name: isShownCancelled ? 'sos.cancelled' : name,
    alertId: alert._id,
    at: new Date(atMs).toISOString(),
    version: alert.version,
    state: isShownCancelled ? 'cancelled' : alert.state,
    ...(isProvisional && { isProvisional }),
  };
}
