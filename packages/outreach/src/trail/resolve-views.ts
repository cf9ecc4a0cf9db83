import type { SosAccessQuestion, SosView } from '@hushryd/contracts/http/sos';
import type { AlertAccess } from '../alerts/alert-access.ts';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { TrailReader } from './read-trail.ts';

type ViewedAlert = Pick<
  AlertDocument,
  '_id' | 'open' | 'person' | 'trigger' | 'triggerIds' | 'acceptedAt' | 'closedAt' | 'duressAt'
>;

/** How each of those who ask may hear of the alert that they ask for, in their order; null where they may not. */
export type ResolveViews = (
  questions: readonly SosAccessQuestion[],
  alerts: readonly ViewedAlert[],
) => Promise<(SosView | null)[]>;

/**
 * Answers a batch of questions about alerts. Each alert's trip, and each person's contacts, are looked up once.
 *
 * @throws AppError `access_unavailable` where nobody could say of one of them: an answer would be a guess
 */
export function createResolveViews({
  access,
  trail,
}: {
  access: AlertAccess;
  trail: Pick<TrailReader, 'tripOf'>;
}): ResolveViews {
  return async (questions, alerts) => {
    const trips = new Map<string, ReturnType<TrailReader['tripOf']>>();
    const tripOf = (alert: ViewedAlert) => {
      const trip = trips.get(alert._id) ?? trail.tripOf(alert);
      trips.set(alert._id, trip);
      return trip;
    };

    return Promise.all(
      questions.map(async (question): Promise<SosView | null> => {
        const alert = alerts.find(({ triggerIds }) => triggerIds.includes(question.alertId));
        if (alert === undefined) return null;
        const as = await access.readerOf(question, alert);
        if (as === undefined) return null;
        if (as === 'person' && alert.duressAt !== undefined) return { as, isTrailHidden: true };
        return { as, ...(alert.open && (await tripOf(alert))) };
      }),
    );
  };
}
