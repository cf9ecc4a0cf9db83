import type { TokenVerifier } from '@hushryd/platform/auth/verify-token';
import { readCorrelationId } from '@hushryd/platform/errors/correlation-id';
import { createNearbyDrivers } from '@hushryd/tracking/nearby/nearby-drivers';
import Fastify from 'fastify';
import type { ApiServer } from './api-server.ts';
import { createAuditOrder } from './audit-order.ts';
import { addContactRoutes } from './contacts/routes.ts';
import { addDeviceRoutes } from './devices/routes.ts';
import { createPostFixes } from './drivers/post-fixes.ts';
import { addDriverRoutes } from './drivers/routes.ts';
import { addMapRoutes } from './map/routes.ts';
import { addNotificationRoutes } from './notifications/routes.ts';
import { addOnCallRoutes } from './on-call/routes.ts';
import type { ApiParts } from './open-parts.ts';
import { addCorrelationId } from './plugins/correlation-id.ts';
import { addCors } from './plugins/cors.ts';
import { addDraining } from './plugins/draining.ts';
import { addErrorReplies, createErrorReplies } from './plugins/error-replies.ts';
import { addHealth } from './plugins/health.ts';
import { collectMethods } from './plugins/method-not-allowed.ts';
import { addMetrics } from './plugins/metrics.ts';
import { addOpenApi, referencePath } from './plugins/openapi.ts';
import { addRouteRules } from './plugins/route-rules.ts';
import { addSecurityHeaders } from './plugins/security-headers.ts';
import { compileValidator } from './plugins/validate.ts';
import { addRealtimeRoutes } from './realtime/routes.ts';
import { addSafetyRoutes } from './safety/routes.ts';
import { addSessionRoutes } from './sessions/routes.ts';
import { addSharePageRoutes } from './share/page-routes.ts';
import { addShareRoutes } from './share/routes.ts';
import { addDrillRoutes } from './sos/drill-routes.ts';
import { createReadTrail } from './sos/read-trail.ts';
import { addSosRoutes } from './sos/routes.ts';
import { addSosStaffRoutes } from './sos/staff-routes.ts';
import { addTimelineRoutes } from './sos/timeline-routes.ts';
import { addTrailRoutes } from './sos/trail-routes.ts';
import { addTripEventRoutes } from './trip-events/routes.ts';
import { createAuditReading } from './trips/audit-reading.ts';
import { createGetLocation } from './trips/get-location.ts';
import { addLocationRoutes } from './trips/location-routes.ts';
import { createPositionWaiters } from './trips/position-waiters.ts';
import { addTripRoutes } from './trips/routes.ts';
import { addTrackRoutes } from './trips/track-routes.ts';
import { addUserRoutes } from './users/routes.ts';
import { addWebhookRoutes } from './webhooks/routes.ts';

export interface ApiSettings {
  instanceId: string;
  region: string;
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
  longPollMaxWaiters: number;
  /** From the request to the reply, on routes that do not say otherwise. */
  deadlineMs: number;
  isDraining: () => boolean;
}

export interface ApiApp {
  app: ApiServer;
  /** Requests since the start that were answered, and whose caller went away first. */
  readonly finishedCount: number;
  readonly abortedCount: number;
}

/** The HTTP front door: its plugins and features, in order. */
export async function createApp(
  settings: ApiSettings,
  { tokens, parts }: { tokens: TokenVerifier; parts: ApiParts },
): Promise<ApiApp> {
  const { log, telemetry } = parts;
  const replyWithError = createErrorReplies(log);
  const app: ApiServer = Fastify({
    logger: false,
    genReqId: ({ headers }) => readCorrelationId(headers['x-request-id']),
    frameworkErrors: replyWithError,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    bodyLimit: 262_144,
    // Headers are cut within 5 s, however slowly they drip; a phone in a bad network may take longer for what it sends after them. Node
    // looks every 30 s where nobody says otherwise.
    http: { headersTimeout: 4000, connectionsCheckingInterval: 1000 },
    requestTimeout: 15_000,
    // Draining answers with our own problem, see plugins/draining.ts.
    return503OnClosing: false,
  });
  app.setValidatorCompiler(compileValidator);
  app.removeContentTypeParser('text/plain');

  const addMethodReplies = collectMethods(app);
  addErrorReplies(app, replyWithError);
  const metrics = addMetrics(app, telemetry);
  addCorrelationId(app);
  addSecurityHeaders(app);
  addRouteRules(app, {
    tokens,
    revocations: parts.revocations,
    deadlineMs: settings.deadlineMs,
    openPrefix: referencePath,
  });
  addCors(app, { origins: settings.corsOrigins });
  addDraining(app, settings.isDraining);
  await addOpenApi(app);
  addHealth(app, { ...settings, dependencies: parts.pings, canKeepAlerts: parts.sos.canKeep });

  const audit = createAuditReading(log);
  const waiters = createPositionWaiters({ ...parts, maxWaiters: settings.longPollMaxWaiters });
  app.addHook('preClose', async () => {
    waiters.close();
    parts.tripStreams.drain();
  });

  addTripRoutes(app, { ...parts, region: settings.region, audit });
  addLocationRoutes(app, createGetLocation({ ...parts, waiters }));
  addTripEventRoutes(app, parts.tripStreams);
  addTrackRoutes(app, { ...parts, audit, deadlineMs: settings.deadlineMs });
  addDriverRoutes(app, {
    ...parts,
    postFixes: createPostFixes({ ...parts, limits: parts.acceptLimits }),
    nearbyDrivers: createNearbyDrivers(parts),
  });
  addSosRoutes(app, parts.sos);
  addDrillRoutes(app, parts.sos);
  addSosStaffRoutes(app, parts.sos);
  addTimelineRoutes(app, {
    ...parts.timeline,
    show: parts.sos.show,
    readTrail: createReadTrail({ ...parts, fixes: parts.timeline.trailFixes }),
    deadlineMs: settings.deadlineMs,
  });
  addTrailRoutes(app, parts.sos);
  addShareRoutes(app, parts.sos);
  addSharePageRoutes(app);
  addMapRoutes(app, parts.roads);
  addRealtimeRoutes(app, parts);
  const auditOrder = createAuditOrder(log);
  addSessionRoutes(app, { ...parts.signOut, log }, auditOrder);
  addUserRoutes(app, { ...parts, auditOrder });
  addContactRoutes(app, { ...parts.people, log: parts.log }, auditOrder);
  addSafetyRoutes(app, parts.people, auditOrder);
  addDeviceRoutes(app, parts.people);
  addOnCallRoutes(app, { ...parts.people, now: parts.notifications.now, log: parts.log }, auditOrder);
  addNotificationRoutes(app, { ...parts, auditOrder });
  await addWebhookRoutes(app, parts.notifications);
  addMethodReplies();

  await app.ready();
  return {
    app,
    get finishedCount() {
      return metrics.finishedCount;
    },
    get abortedCount() {
      return metrics.abortedCount;
    },
  };
}
