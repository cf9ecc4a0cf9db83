import { type AlertAccess, createAlertAccess } from '@hushryd/outreach/alerts/alert-access';
import type { AlertMetrics } from '@hushryd/outreach/alerts/alert-metrics';
import type { AlertStore } from '@hushryd/outreach/alerts/alert-store';
import type { ReadOutreachList } from '@hushryd/outreach/alerts/record-press';
import { createTrailReader, type TrailReader } from '@hushryd/outreach/trail/read-trail';
import { createResolveViews, type ResolveViews } from '@hushryd/outreach/trail/resolve-views';
import { createShareAlert, type ShareAlert } from '@hushryd/outreach/trail/share-alert';
import { createTakePersonFixes, type TakePersonFixes } from '@hushryd/outreach/trail/take-person-fixes';
import type { TrackedAlerts } from '@hushryd/outreach/trail/tracked-alerts';
import { createTrailLinks } from '@hushryd/outreach/trail/trail-links';
import type { FieldKeys } from '@hushryd/platform/crypto/field-keys';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { createPublishPassing } from '@hushryd/platform/topics/publish-passing';
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import { createTrailFixes } from '@hushryd/tracking/history/trail-fixes';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import type { Db } from 'mongodb';
import { createSharedTrails } from './shared-trails.ts';

/** What the routes of an alert's trail work with. */
export interface TrailParts {
  alertAccess: AlertAccess;
  trail: TrailReader;
  resolveViews: ResolveViews;
  takePersonFixes: TakePersonFixes;
  shareAlert: ShareAlert;
}

/** A phone sends the next batch in a second or two: what is not stored by then is sent again with it. */
const keepWithinMs = 1_500;

/** The trail of an alert over these stores. Opens nothing of its own. */
export function openTrail({
  store,
  readOutreachList,
  tracked,
  db,
  redis,
  keys,
  access,
  positions,
  limits,
  deadlineMs,
  sharePageUrl,
  mapUrl,
  fieldKeys,
  metrics,
  log,
}: {
  store: Pick<AlertStore, 'find'>;
  readOutreachList: ReadOutreachList;
  tracked: TrackedAlerts;
  db: Db;
  redis: RedisClient;
  keys: Keys;
  access: Pick<AccessCache, 'load'>;
  positions: PositionReader;
  limits: AcceptLimits;
  deadlineMs: number;
  sharePageUrl: string;
  mapUrl: string;
  fieldKeys: FieldKeys;
  metrics: AlertMetrics;
  log: Logger;
}): TrailParts {
  const alertAccess = createAlertAccess({ readOutreachList });
  const trail = createTrailReader({
    fixes: createTrailFixes({ db, deadlineMs }),
    readAccess: (tripId) => access.load(tripId),
    positions,
  });
  const links = createTrailLinks({ pageUrl: sharePageUrl, fieldKeys });
  return {
    alertAccess,
    trail,
    resolveViews: createResolveViews({ access: alertAccess, trail }),
    takePersonFixes: createTakePersonFixes({
      store,
      tracked,
      fixes: createTrailFixes({ db, deadlineMs: keepWithinMs }),
      publishPassing: createPublishPassing({ redis, keys }),
      limits,
      metrics,
      log,
    }),
    shareAlert: createShareAlert({
      links,
      store,
      access: alertAccess,
      readTrail: createSharedTrails({ trail }),
      mapUrl,
    }),
  };
}
