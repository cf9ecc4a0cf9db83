import type { SosAccessQuestion, SosView } from '@hushryd/contracts/http/sos';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertAccess } from '../alerts/alert-access.ts';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { TrailReader } from './read-trail.ts';

type ViewedAlert = Pick<
  AlertDocument,
  '_id' | 'open' | 'person' | 'trigger' | 'triggerIds' | 'acceptedAt' | 'closedAt' | 'duressAt'
>;

/**
 * How each of those who ask may hear of the alert that they ask for, in their order; null where they may not, `unknown` where nobody could
 * say: whoever is not let in yet tries again, whoever is in goes.
 */
export type ResolveViews = (
  questions: readonly SosAccessQuestion[],
  alerts: readonly ViewedAlert[],
) => Promise<(SosView | null | 'unknown')[]>;

/**
 * Answers a batch of questions about alerts. Each alert's trip is looked up once. One that nobody can say anything of decides nothing for
 * the others; a trip that cannot be looked up is left out of the view.
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
      const trip = trips.get(alert._id) ?? trail.tripOf(alert).catch(orUnavailable(undefined));
      trips.set(alert._id, trip);
      return trip;
    };

    return Promise.all(
      questions.map(async (question): Promise<SosView | null | 'unknown'> => {
        const alert = alerts.find(({ triggerIds }) => triggerIds.includes(question.alertId));
        if (alert === undefined) return null;
        const as = await access.readerOf(question, alert).catch(orUnavailable('unknown' as const));
        if (as === undefined) return null;
        if (as === 'unknown') return as;
        if (as === 'person' && alert.duressAt !== undefined) return { as, isTrailHidden: true };
        return { as, ...(alert.open && (await tripOf(alert))) };
      }),
    );
  };
}

const orUnavailable =
  <Instead>(instead: Instead) =>
  (error: unknown): Instead => {
    if (error instanceof AppError && error.retryable) return instead;
    throw error;
  };
