import { AlertParamsSchema } from '@hushryd/contracts/http/sos';
import {
  AlertTrailQuerySchema,
  AlertTrailReplySchema,
  PostSosFixesBodySchema,
  SosFixesReplySchema,
  TakenSosFixesSchema,
} from '@hushryd/contracts/http/sos-trail';
import type { AlertStore } from '@hushryd/outreach/alerts/alert-store';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import { compileValidator } from '../plugins/validate.ts';
import type { TrailParts } from './open-trail.ts';

const tags = ['sos'];
const everyone = ['driver', 'rider', 'operator'] as const;
const params = AlertParamsSchema;
const defaultLimit = 1_000;

/** Where the person in danger is, and where the trip's driver is. Contacts without the app: share/routes.ts. */
export function addTrailRoutes(
  app: ApiServer,
  { store, alertAccess, trail, takePersonFixes }: TrailParts & { store: Pick<AlertStore, 'find'> },
): void {
  app.post(
    '/v1/sos/:id/fixes',
    {
      // As with the alert itself: help does not fail for want of a new token.
      config: { roles: everyone, takesExpiredToken: true },
      validatorCompiler: compileTaken,
      schema: {
        tags,
        operationId: 'postSosFixes',
        summary: 'Say where one is while one’s own alert is open',
        description:
          'With or without a trip; a driver’s fixes go their own way beside it. Those who watch the alert see them at once. `durableSeqs` and ' +
          '`drops` name what may be forgotten; send the rest again with the next ones. `run` is a number of the phone’s own for one unbroken ' +
          'numbering, such as the time at which it began. A fix that cannot be read is dropped by itself. 409 `sos_state_conflict`: the alert has ended.',
        params,
        body: PostSosFixesBodySchema,
        response: { 200: SosFixesReplySchema },
      },
    },
    async ({ identity, params: { id }, body: { run, fixes } }) =>
      takePersonFixes({ run, fixes, alertId: id, by: identity.userId }),
  );

  app.get(
    '/v1/sos/:id/trail',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'getAlertTrail',
        summary: 'Where the person, and the driver of the trip, have been since the alert',
        description:
          'For the person, staff, and contacts who have the app while it is open. In order of time, from a minute before the button was ' +
          'pressed. Live it goes on in `trail` frames on `sos:{alertId}`.',
        params,
        querystring: AlertTrailQuerySchema,
        response: { 200: AlertTrailReplySchema },
      },
    },
    async ({ identity, params: { id }, query: { limit = defaultLimit, cursor } }) => {
      const alert = await store.find(id);
      const reader = alert === null ? undefined : await alertAccess.readerOf(identity, alert);
      if (alert === null || reader === undefined) throw new AppError('not_found');
      // The person's own devices show it as cancelled, and so nothing of what came after.
      const hiddenSince = reader === 'person' ? alert.duressAt : undefined;
      const page = await trail.read(alert, { limit, cursor, until: hiddenSince });
      return {
        alertId: alert._id,
        state: hiddenSince === undefined ? alert.state : 'cancelled',
        asOf: new Date().toISOString(),
        ...page,
      };
    },
  );
}

/** The description shows what phones are to send; what is taken is more. */
const compileTaken: typeof compileValidator = (route) =>
  compileValidator(route.httpPart === 'body' ? { ...route, schema: TakenSosFixesSchema } : route);
