import { alertsCollection } from '@hushryd/outreach/alerts/alert-document';
import { alertAttemptsCollection } from '@hushryd/outreach/dispatch/alert-attempts';
import { notificationsCollection } from '@hushryd/outreach/notifications/notification-store';
import { preferencesCollection } from '@hushryd/outreach/notifications/preferences-store';
import { peopleCollections } from '@hushryd/outreach/people/people-collections';
import { timelineCollection } from '@hushryd/outreach/timeline/timeline-document';
import { webhookEventsCollection } from '@hushryd/outreach/webhooks/webhook-store';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { driversCollection } from '@hushryd/rides/people/driver-store';
import { revocationsCollection } from '@hushryd/rides/people/revocation-store';
import { tripsCollection } from '@hushryd/rides/trips/trip-store';
import { declareLocationHistory } from '@hushryd/tracking/history/history-store';
import { declareRoads } from '@hushryd/tracking/history/road-store';
import type { WorkerConfig } from './config.ts';

/** Every collection of the product. Its owner declares it; this list is what `--ensure-collections` and each start create. */
export function declareCollections({
  history,
  roads,
}: Pick<WorkerConfig, 'history' | 'roads'>): CollectionDeclaration[] {
  return [
    tripsCollection,
    driversCollection,
    revocationsCollection,
    alertsCollection,
    timelineCollection,
    alertAttemptsCollection,
    ...peopleCollections,
    notificationsCollection,
    preferencesCollection,
    webhookEventsCollection,
    declareLocationHistory(history),
    declareRoads(roads),
  ];
}
