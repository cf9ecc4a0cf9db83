import type { ShareReply } from '@hushryd/contracts/http/share';
import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertAccess } from '../alerts/alert-access.ts';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertStore } from '../alerts/alert-store.ts';
import type { TrailAlert } from './read-trail.ts';
import type { TrailGrant, TrailLinks } from './trail-links.ts';

/** The trail of an alert for many who look at it at once, in order of time. @throws as the trail's reader */
export type ReadSharedTrail = (alert: TrailAlert) => Promise<readonly TrailPoint[]>;

/** What a link shows. @throws see createShareAlert */
export type ShareAlert = (asked: { token: string; since?: string | undefined }) => Promise<ShareReply>;

/** After the end the contact reads that it has ended, and no more. */
const shownAfterEndMs = 1_800_000;
/** Two decimals: a kilometre. */
const coarseDegrees = 100;

/**
 * An alert for a contact who has no login, by a link. While it is open the contact sees what staff see of the trail, also where the person was
 * made to cancel; once it has ended, that it has, and roughly where it did.
 *
 * @throws AppError `not_found` (a token that we did not make), `link_expired` (run out, ended a while ago, or no contact of the person any
 *   more), `access_unavailable`, `database_unavailable`
 * Cost: one read of the alert, one of the contacts in Redis, and the trail's share.
 */
export function createShareAlert({
  links,
  store,
  access,
  readTrail,
  mapUrl,
  now = Date.now,
}: {
  links: Pick<TrailLinks, 'read'>;
  store: Pick<AlertStore, 'find'>;
  access: Pick<AlertAccess, 'isContact'>;
  readTrail: ReadSharedTrail;
  /** Address of a map with `{lat}` and `{lng}` in it. */
  mapUrl: string;
  now?: () => number;
}): ShareAlert {
  async function findShared({ alertId, contactId, expiresAtMs }: TrailGrant): Promise<AlertDocument> {
    if (expiresAtMs <= now()) throw new AppError('link_expired');
    const alert = await store.find(alertId);
    // Told before the database had it, or another node's: it is there in a moment.
    if (alert === null) throw new AppError('access_unavailable', { retryAfterMs: 2_000 });
    if (endOf(alert, expiresAtMs) <= now()) throw new AppError('link_expired');
    if (!(await access.isContact(alert.person.userId, contactId))) throw new AppError('link_expired');
    return alert;
  }

  return async ({ token, since }) => {
    const grant = links.read(token);
    if (grant === undefined) throw new AppError('not_found');
    const alert = await findShared(grant);
    const points = await readTrail(alert);
    const sinceMs = since === undefined ? undefined : Date.parse(since);
    const { acknowledgedAt, closedAt } = alert;
    return {
      state: toSharedState(alert),
      asOf: new Date(now()).toISOString(),
      raisedAt: alert.acceptedAt.toISOString(),
      ...(acknowledgedAt !== undefined && { acknowledgedAt: acknowledgedAt.toISOString() }),
      ...(closedAt !== undefined && { endedAt: closedAt.toISOString() }),
      expiresAt: new Date(endOf(alert, grant.expiresAtMs)).toISOString(),
      ...(!alert.open && { isCoarse: true as const }),
      mapUrl,
      points: alert.open
        ? points.filter(({ recordedAt }) => sinceMs === undefined || Date.parse(recordedAt) > sinceMs)
        : points.slice(-1).map(toCoarse),
    };
  };
}

function toSharedState({ open, state }: AlertDocument): ShareReply['state'] {
  if (!open) return 'ended';
  return state === 'acknowledged' ? 'acknowledged' : 'open';
}

function endOf({ closedAt }: AlertDocument, expiresAtMs: number): number {
  return closedAt === undefined ? expiresAtMs : Math.min(expiresAtMs, closedAt.getTime() + shownAfterEndMs);
}

function toCoarse({ source, lat, lng, recordedAt }: TrailPoint): TrailPoint {
  const round = (degrees: number) => Math.round(degrees * coarseDegrees) / coarseDegrees;
  return { source, lat: round(lat), lng: round(lng), recordedAt };
}
