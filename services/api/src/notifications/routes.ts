import {
  ListNotificationsQuerySchema,
  ListNotificationsReplySchema,
  NotificationParamsSchema,
  NotificationPreferencesSchema,
  NotificationSchema,
  ScorecardsReplySchema,
} from '@hushryd/contracts/http/notifications';
import type { Scorecard } from '@hushryd/outreach/delivery/scorecards';
import { listNotifications, redriveNotification } from '@hushryd/outreach/notifications/list-notifications';
import { defaultPreferences } from '@hushryd/outreach/notifications/preferences-store';
import { isTimeZone } from '@hushryd/outreach/notifications/quiet-hours';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';
import { NoBodySchema } from '../no-body.ts';
import { NoContentSchema } from '../no-content.ts';
import type { Notifications } from './open-notifications.ts';

const tags = ['notifications'];
const staff = ['operator'] as const;
const everyone = ['driver', 'rider', 'operator'] as const;

/** What was sent and what became of it, for staff; and what each person wants to be told. */
export function addNotificationRoutes(
  app: ApiServer,
  {
    notifications,
    readScorecards,
    auditOrder,
  }: { notifications: Notifications; readScorecards: () => Promise<Scorecard[]>; auditOrder: AuditOrder },
): void {
  const { store, queues, preferences, markSeen, now } = notifications;

  app.get(
    '/v1/notifications',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'listNotifications',
        summary: 'Notifications in one state, newest first',
        description:
          'With `state=failed` the dead letters: what nobody could deliver. Addresses and words are never shown.',
        querystring: ListNotificationsQuerySchema,
        response: { 200: ListNotificationsReplySchema },
      },
    },
    async ({ query }) => listNotifications(store, { ...query, limit: query.limit ?? 50 }),
  );

  app.post(
    '/v1/notifications/:id/redrive',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'redriveNotification',
        summary: 'Send one that has failed once more',
        params: NotificationParamsSchema,
        body: NoBodySchema,
        response: { 202: NotificationSchema },
      },
    },
    async ({ identity, params }, reply) => {
      auditOrder(identity, { action: 'redrive_notification', notificationId: params.id });
      return reply.code(202).send(await redriveNotification({ store, queues, now }, params.id));
    },
  );

  app.post(
    '/v1/notifications/:id/seen',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'seenNotification',
        summary: 'The app has shown a push',
        description: 'By its `notificationId`. This is what counts as its delivery.',
        params: NotificationParamsSchema,
        body: NoBodySchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params }, reply) => {
      if (!(await markSeen({ recordId: params.id, personId: identity.userId }))) throw new AppError('not_found');
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/users/me/notification-preferences',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'getNotificationPreferences',
        summary: 'What I want to be told, and when',
        response: { 200: NotificationPreferencesSchema },
      },
    },
    async ({ identity }) => toReply((await preferences.find(identity.userId)) ?? defaultPreferences),
  );

  app.put(
    '/v1/users/me/notification-preferences',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'putNotificationPreferences',
        summary: 'Say what I want to be told, and when',
        description:
          'Critical messages and one-time codes come all the same. What waits for the end of quiet hours comes then.',
        body: NotificationPreferencesSchema,
        response: { 200: NotificationPreferencesSchema },
      },
    },
    async ({ identity, body }) => {
      if (!isTimeZone(body.timeZone)) throw new AppError('request_invalid', { detail: 'timeZone is no IANA name' });
      await preferences.put(identity.userId, body, Date.now());
      return body;
    },
  );

  app.get(
    '/v1/providers/scorecards',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'providerScorecards',
        summary: 'How the outside companies did in the last minutes',
        response: { 200: ScorecardsReplySchema },
      },
    },
    async () => ({ asOf: new Date().toISOString(), scorecards: await readScorecards() }),
  );
}

const toReply = ({ channelsOff, ...rest }: typeof defaultPreferences) => ({ ...rest, channelsOff: [...channelsOff] });
